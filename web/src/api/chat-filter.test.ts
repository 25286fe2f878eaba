import { describe, expect, it } from "vitest";
import { backwards, boundsOf, filters, outcomeNames, readFilter } from "./chat-filter";

const now = new Date(2026, 10, 24, 14, 2, 7);

describe("the filter in an address", () => {
  it("keeps what it knows and drops the rest", () => {
    expect(readFilter({ outcome: "refused", time: "today", page: 3 })).toEqual({ outcome: "refused", time: "today" });
    expect(readFilter({ outcome: "toString", time: "century" })).toEqual({});
  });
  it("keeps own times only with an own stretch, and only times", () => {
    const from = "2026-11-24T14:02";
    expect(readFilter({ time: "own", from, to: "soon" })).toEqual({ time: "own", from });
    expect(readFilter({ time: "hour", from })).toEqual({ time: "hour" });
    expect(readFilter({ from })).toEqual({});
  });
});

describe("boundsOf", () => {
  it("counts back from now", () => {
    expect(boundsOf({}, now)).toEqual({});
    expect(boundsOf({ time: "hour" }, now)).toEqual({ from: new Date(2026, 10, 24, 13, 2, 7).toISOString() });
    expect(boundsOf({ time: "week" }, now)).toEqual({
      from: new Date(now.getTime() - 604_800_000).toISOString(),
    });
  });
  it("begins today at the reader's midnight", () => {
    expect(boundsOf({ time: "today" }, now)).toEqual({ from: new Date(2026, 10, 24).toISOString() });
  });
  it("takes own times in the reader's zone, and leaves out what is not given", () => {
    expect(boundsOf({ time: "own", from: "2026-11-24T09:30", to: "2026-11-24T10:00" }, now)).toEqual({
      from: new Date(2026, 10, 24, 9, 30).toISOString(),
      to: new Date(2026, 10, 24, 10).toISOString(),
    });
    expect(boundsOf({ time: "own", from: "2026-02-30T99:00" }, now)).toEqual({});
  });
});

it("hides nothing until something is chosen", () => {
  expect(filters({})).toBe(false);
  expect(filters({ time: "own" })).toBe(false);
  expect(filters({ time: "own", to: "2026-11-24T10:00" })).toBe(true);
  expect(filters({ outcome: "expired" })).toBe(true);
});

it("notices a stretch that ends before it begins", () => {
  expect(backwards({ time: "own", from: "2026-11-24T10:00", to: "2026-11-24T10:00" })).toBe(true);
  expect(backwards({ time: "own", from: "2026-11-24T09:00", to: "2026-11-24T10:00" })).toBe(false);
  expect(backwards({ time: "own", from: "2026-11-24T10:00" })).toBe(false);
});

it("knows each outcome once", () => {
  expect(outcomeNames).toContain("waiting");
  expect(new Set(outcomeNames).size).toBe(16);
});
