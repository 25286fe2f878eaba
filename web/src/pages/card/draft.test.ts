import { describe, expect, it } from "vitest";
import type { CardLine, Field } from "../../api/queries";
import {
  changes,
  draftOf,
  exampleEmail,
  gone,
  lineOf,
  lineProblems,
  linesOf,
  move,
  same,
  suggest,
  type SourceFields,
} from "./draft";

const line = (label: string, field: string, rest: Partial<CardLine> = {}): CardLine => ({
  label,
  connection_id: "c1",
  field,
  ...rest,
});
const field = (id: string, rest: Partial<Field> = {}): Field => ({ id, label: id, kind: "text", ...rest });
const source = (...fields: Field[]): SourceFields => ({ connectionId: "c1", name: "Shop", kind: "csv", fields });

describe("lineOf", () => {
  it("makes words of a column's name and chooses the format by its kind", () => {
    expect(lineOf("c1", field("bought_so_far", { kind: "number" }))).toMatchObject({
      label: "Bought so far",
      format: "number",
      hide_if_empty: true,
    });
    expect(lineOf("c1", field("vip", { kind: "bool" })).format).toBe("yes_no");
    expect(lineOf("c1", field("x", { kind: "json", label: "" }))).toMatchObject({ label: "X", format: "text" });
  });
});

describe("move", () => {
  const lines = draftOf({ version: 1, lines: [line("a", "a"), line("b", "b"), line("c", "c")] }).lines;
  const order = (to: number, i = 0) =>
    move(lines, lines[i]!.key, to)
      .map((l) => l.label)
      .join("");
  it("puts a line at its new place, never beyond the ends", () => {
    expect([order(1), order(2), order(99), order(-1, 2)]).toEqual(["bac", "bca", "bca", "cab"]);
  });
  it("leaves everything when the line is not there", () => {
    expect(move(lines, "nobody", 0)).toEqual(lines);
  });
});

describe("changes", () => {
  const before = [line("Name", "name"), line("Plan", "plan")];
  it("names what is new, gone, renamed or shown differently", () => {
    expect(changes(before, [line("Name", "name"), line("Tier", "plan"), line("City", "city")])).toEqual([
      { label: "Tier", what: "was called Plan" },
      { label: "City", what: "new" },
    ]);
    expect(changes(before, [line("Name", "name", { fallback: "unknown" })])).toEqual([
      { label: "Name", what: "shown in another way" },
      { label: "Plan", what: "removed" },
    ]);
  });
  it("sees a new order, and nothing where there is nothing", () => {
    expect(changes(before, [...before].reverse())).toEqual([{ label: "Order", what: "changed" }]);
    expect(changes(before, before)).toEqual([]);
  });
  it("takes what the API fills in for the same", () => {
    expect(same([line("a", "a")], [line("a ", "a", { format: "text", hide_if_empty: true, fallback: "" })])).toBe(true);
    expect(same([line("a", "a")], [line("a", "a", { hide_if_empty: false })])).toBe(false);
  });
});

describe("linesOf", () => {
  it("sends no keys and no empty fallback", () => {
    expect(linesOf([{ ...line(" a ", "a", { fallback: "" }), key: "k" }])).toEqual([
      { label: "a", connection_id: "c1", field: "a", fallback: undefined },
    ]);
  });
});

describe("gone", () => {
  it("warns only when the source itself no longer has the field", () => {
    expect(gone(line("a", "a"), [source(field("a"))], ["c1"])).toBe(false);
    expect(gone(line("a", "a"), [source(field("b"))], ["c1"])).toBe(true);
    expect(gone(line("a", "a"), [], ["c1"])).toBe(false);
    expect(gone(line("a", "a"), [], [])).toBe(true);
  });
});

describe("suggest", () => {
  it("puts the name on top and leaves addresses and ids out", () => {
    const lines = suggest([
      source(field("id"), field("email"), field("plan"), field("full_name"), field("customer_id"), field("city")),
    ]);
    expect(lines.map((l) => l.label)).toEqual(["Full name", "Plan", "City"]);
  });
  it("stops at what is read at a glance, and shows no label twice", () => {
    const many = Array.from({ length: 20 }, (_, i) => field(`f${i}`));
    expect(suggest([source(...many)])).toHaveLength(6);
    expect(suggest([source(field("hs_rare", { minor: true }), field("plan"))]).map((l) => l.field)).toEqual(["plan"]);
    expect(suggest([source(field("plan")), source(field("Plan"))])).toHaveLength(1);
  });
});

it("takes an example address from the samples", () => {
  expect(exampleEmail([source(field("a", { sample: "x" }), field("b", { sample: "maya@lindqvist.se" }))])).toBe(
    "maya@lindqvist.se",
  );
  expect(exampleEmail([source(field("a", { sample: "write to a@b.se today" }))])).toBe("");
});

it("finds the line a problem is about", () => {
  const found = lineProblems([
    { pointer: "/lines/2/label", detail: "Too long." },
    { pointer: "/based_on", detail: "x" },
  ]);
  expect([...found]).toEqual([[2, "Too long."]]);
});
