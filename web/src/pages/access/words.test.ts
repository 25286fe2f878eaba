import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { backwards, boundsOf, filters } from "./audit-filter";
import { actionGroups, actions, actionText } from "./actions";
import { changesOf, nameText } from "./changes";
import { endsText, leftText, readDays, running } from "./expiry";
import { curlLine, groups, inOrder, meanings } from "./scopes";

describe("actions", () => {
  it("have words, all that the server writes and no others", () => {
    const hub = "../internal/hub"; // tests run in web/
    const written = readdirSync(hub)
      .filter((file) => file.endsWith(".go") && !file.endsWith("_test.go"))
      .map((file) => readFileSync(path.join(hub, file), "utf8"))
      .flatMap((text) => [
        ...text.matchAll(/\b(?:auditing|auditOperator|auditUser|auditEverywhere|changeTenant)\(.*?"(\w+\.\w+)"/g),
      ])
      .map((match) => match[1]!);
    expect(written.length).toBeGreaterThan(20);
    expect([...new Set(written)].sort()).toEqual([...actions].sort());
  });
  it("are all offered by the filter, once", () => {
    expect(actionGroups.flatMap((g) => g.items.map((i) => i.value)).sort()).toEqual([...actions].sort());
  });
  it("without words are shown as they are", () => {
    expect(actionText("key.rewrapped")).toBe("key.rewrapped");
    expect(actionText("constructor")).toBe("constructor");
  });
});

describe("what changed", () => {
  it("is lined up by name, one-sided where something came or went", () => {
    expect(changesOf({ before: { role: "member", email: "a@b.se" }, after: { role: "admin" } })).toEqual([
      { path: "email", before: "a@b.se", after: undefined },
      { path: "role", before: "member", after: "admin" },
    ]);
  });
  it("takes objects apart and writes values as people do", () => {
    const after = { settings: { tls: true, port: 5432 }, scopes: ["a", "b"], none: [], name: "", odd: [{ a: 1 }] };
    expect(changesOf({ after }).map((c) => [c.path, c.after])).toEqual([
      ["name", "empty"],
      ["none", "none"],
      ["odd", '{"a":1}'],
      ["scopes", "a, b"],
      ["settings.port", "5,432"],
      ["settings.tls", "yes"],
    ]);
  });
  it("tells false from not there", () => {
    expect(changesOf({ before: { on: false }, after: { on: true } })).toEqual([
      { path: "on", before: "no", after: "yes" },
    ]);
  });
  it("writes instants with their year, and leaves other text alone", () => {
    const [at, text] = changesOf({ after: { a: "2026-11-24T13:02:07.412Z", b: "2026-11-24 or so" } });
    expect(at!.after).toMatch(/^2[345] Nov 2026, \d\d:\d\d$/);
    expect(text!.after).toBe("2026-11-24 or so");
  });
  it("has nothing for an entry that notes nothing", () => {
    expect(changesOf({})).toEqual([]);
  });
  it("is named in words", () => {
    expect(nameText("second_factor_required")).toBe("second factor required");
    expect(nameText("settings.email_column")).toBe("settings: email column");
  });
});

describe("the days of the filter", () => {
  it("both count in full", () => {
    expect(boundsOf({ from: "2026-11-24", to: "2026-11-24" })).toEqual({
      from: new Date(2026, 10, 24).toISOString(),
      to: new Date(2026, 10, 25).toISOString(),
    });
  });
  it("may be the same, but not the wrong way round", () => {
    expect(backwards({ from: "2026-11-24", to: "2026-11-24" })).toBe(false);
    expect(backwards({ from: "2026-11-25", to: "2026-11-24" })).toBe(true);
  });
  it("do not filter while they are half typed", () => {
    expect(filters({ from: "0002-11-24" })).toBe(false);
    expect(filters({ from: "2026-11-24" })).toBe(true);
    expect(filters({ action: "card.published" })).toBe(true);
    expect(filters({})).toBe(false);
  });
});

describe("scopes", () => {
  it("are all offered by the form, once", () => {
    expect(groups.flatMap((g) => g.scopes).sort()).toEqual(Object.keys(meanings).sort());
  });
  it("stand in the form's order", () => {
    expect(inOrder(["audit:read", "chats:read"])).toEqual(["chats:read", "audit:read"]);
  });
  it("give a line to try that they allow, and that holds no token", () => {
    expect(curlLine("https://s.example", ["audit:read", "card:read"])).toBe(
      'curl -H "Authorization: Bearer $SIDECARD_TOKEN" https://s.example/api/v1/card',
    );
    expect(curlLine("https://s.example", ["visitors:read"])).toContain("/api/v1/card/preview");
    expect(curlLine("https://s.example", ["rows:write", "desk:write"])).toBeUndefined();
  });
});

describe("the end of a token", () => {
  const now = new Date("2026-11-24T12:00:00Z");
  const inDays = (days: number) => new Date(now.getTime() + days * 24 * 3_600_000);
  it("is pointed at in its last two weeks", () => {
    expect(leftText(inDays(90), now)).toEqual({ text: "in 90\u00a0days", soon: false });
    expect(leftText(inDays(89.999), now).text).toBe("in 90\u00a0days"); // made a moment ago
    expect(leftText(inDays(13.2), now)).toEqual({ text: "in 13\u00a0days", soon: true });
    expect(leftText(inDays(0.5), now)).toEqual({ text: "in less than a day", soon: true });
    expect(leftText(inDays(-1), now).soon).toBe(false);
  });
  it("is over at its very moment", () => {
    expect(running({ expires_at: now.toISOString() }, now)).toBe(false);
    expect(running({ expires_at: inDays(1).toISOString() }, now)).toBe(true);
  });
  it("takes 1 to 366 whole days", () => {
    expect(["1", "366", " 90 "].map(readDays)).toEqual([1, 366, 90]);
    expect(["", "0", "367", "1.5", "-1", "1e2"].map(readDays)).toEqual(Array(6).fill(undefined));
  });
  it("is said as a day", () => {
    expect(endsText(90, now)).toBe("22 February 2027");
  });
});
