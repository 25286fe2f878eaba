import { describe, expect, it } from "vitest";
import { differenceOf } from "./changes";

const card = (...lines: [string, string][]) => lines.map(([name, value]) => ({ name, value }));
const then = card(["Name", "Maya"], ["Plan", "Basic"], ["Order", "#1"]);

describe("differenceOf", () => {
  it("finds nothing between equal cards", () => {
    expect(differenceOf(then, then)).toEqual({ changes: [], same: 3, moved: false });
    expect(differenceOf([], [])).toEqual({ changes: [], same: 0, moved: false });
  });
  it("names what was added, changed and is gone, in the new card's order", () => {
    const now = card(["Loyalty", "Gold"], ["Plan", "Care"], ["Name", "Maya"]);
    expect(differenceOf(then, now)).toEqual({
      changes: [
        { name: "Loyalty", what: "added", after: "Gold" },
        { name: "Plan", what: "changed", before: "Basic", after: "Care" },
        { name: "Order", what: "gone", before: "#1" },
      ],
      same: 1,
      moved: false,
    });
  });
  it("tells another order from a change", () => {
    expect(differenceOf(then, [...then].reverse())).toEqual({ changes: [], same: 3, moved: true });
  });
  it("pairs lines of one name in their order", () => {
    const before = card(["Order", "#1"], ["Order", "#2"]);
    expect(differenceOf(before, card(["Order", "#1"], ["Order", "#3"], ["Order", "#4"])).changes).toEqual([
      { name: "Order", what: "changed", before: "#2", after: "#3" },
      { name: "Order", what: "added", after: "#4" },
    ]);
  });
});
