import { expect, it } from "vitest";
import { leftOutText, prettyBody } from "./chat-text";

it("says why a line is not on the card", () => {
  expect(leftOutText({ label: "Nickname", why: "empty" })).toBe("Nickname, empty");
  expect(leftOutText({ label: "Ticket", why: "source_failed" })).toBe("Ticket, its source failed");
});

it("indents JSON and leaves other bytes alone", () => {
  expect(prettyBody('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(prettyBody("not json")).toBe("not json");
});
