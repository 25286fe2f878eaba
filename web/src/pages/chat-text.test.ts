import { expect, it } from "vitest";
import type { ChatPage } from "../api/queries";
import { footText, leftOutText, prettyBody, withAges } from "./chat-text";

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

it("says of each source that answered from memory how old its answer is", () => {
  const part = (name: "source" | "card", label: string, note: string): ChatPage["timeline"][number] => ({
    name,
    owner: "source",
    label,
    start_ms: 0,
    ms: 1,
    state: "work",
    note,
  });
  const source = (name: string, age_ms?: number): ChatPage["sources"][number] => ({
    connection_id: name,
    name,
    kind: "csv",
    match: "found",
    start_ms: 0,
    ms: 1,
    age_ms,
  });
  const timeline = [
    part("source", "CRM", "1 record"),
    part("source", "CRM", ""),
    part("source", "Shop", "1 record"),
    part("card", "CRM", "6 lines"),
  ];
  const notes = withAges(timeline, [source("Shop"), source("CRM", 720_000), source("CRM", 4000)]).map((p) => p.note);
  expect(notes).toEqual(["1 record, 12\u00a0min old", "4\u00a0s old", "1 record", "6 lines"]);
});
