import { expect, it } from "vitest";
import { footText, leftOutText, prettyBody } from "./chat-text";

it("says why a line is not on the card", () => {
  expect(leftOutText({ label: "Nickname", why: "empty" })).toBe("Nickname, empty");
  expect(leftOutText({ label: "Ticket", why: "source_failed" })).toBe("Ticket, its source failed");
});

it("says which card it is and what is not on it", () => {
  const details = [{ name: "Plan", value: "Basic" }];
  expect(footText(7, details, [])).toBe("Card v7. 1\u00a0detail.");
  expect(footText(7, details, [{ label: "Order", why: "empty" }])).toBe(
    "Card v7. 1\u00a0detail. Left out: Order, empty.",
  );
});

it("indents JSON and leaves other bytes alone", () => {
  expect(prettyBody('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(prettyBody("not json")).toBe("not json");
});
