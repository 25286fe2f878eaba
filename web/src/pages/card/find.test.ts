import { describe, expect, it } from "vitest";
import type { Field } from "../../api/queries";
import { find, fits } from "./find";

const field = (id: string, rest: Partial<Field> = {}): Field => ({ id, label: id, kind: "text", ...rest });
const fields = [
  field("firstname", { label: "First name", group: "Contact" }),
  field("company.name", { label: "Company name", group: "Company" }),
  field("hs_source", { label: "Original source", group: "Analytics", minor: true }),
  field("hs_name_of_first_page", { label: "Name of the first page", group: "Analytics", minor: true }),
];
const ids = (search: string, minor = false, limit = 40) =>
  find(fields, { search, minor, limit }).groups.flatMap((g) => g.fields.map((f) => f.id));

describe("find", () => {
  it("offers what is usual, under the source's headings, and counts the rest", () => {
    const found = find(fields, { search: "", minor: false, limit: 40 });
    expect(found.groups.map((g) => g.name)).toEqual(["Contact", "Company"]);
    expect(found).toMatchObject({ drawn: 2, fitting: 2, minor: 2 });
    expect(ids("", true)).toHaveLength(4);
  });

  it("finds rare fields by a search, every word of it", () => {
    expect(ids("source")).toEqual(["hs_source"]);
    expect(ids("FIRST page")).toEqual(["hs_name_of_first_page"]);
    expect(ids("first nothing")).toEqual([]);
  });

  it("puts the beginning of a name before its middle, and names before headings", () => {
    expect(ids("name")).toEqual(["hs_name_of_first_page", "firstname", "company.name"]);
    expect(ids("company")).toEqual(["company.name"]);
    expect(ids("analytics")).toEqual(["hs_source", "hs_name_of_first_page"]);
  });

  it("draws no more than it may, and says how many fit", () => {
    const many = Array.from({ length: 2000 }, (_, i) => field(`f${i}`, { group: `g${i % 7}` }));
    const found = find(many, { search: "f1", minor: false, limit: 40 });
    expect(found.drawn).toBe(40);
    expect(found.fitting).toBeGreaterThan(1000);
    expect(found.groups.reduce((n, g) => n + g.fields.length, 0)).toBe(40);
  });

  it("shows a source that has nothing but rare fields", () => {
    expect(find([field("a", { minor: true })], { search: "", minor: false, limit: 40 })).toMatchObject({
      drawn: 1,
      minor: 0,
    });
  });
});

it("fits by label, id or heading", () => {
  expect(fits(fields[0]!, "contact first")).toBe(true);
  expect(fits(fields[0]!, "FIRSTNAME")).toBe(true);
  expect(fits(fields[0]!, "last")).toBe(false);
});
