import { describe, expect, it } from "vitest";
import { lay, spoken, type Part } from "./waterfall";

function part(name: Part["name"], start_ms: number, ms: number, rest: Partial<Part> = {}): Part {
  return { name, owner: "sidecard", label: name, start_ms, ms, state: "work", note: "", ...rest };
}

const shown: Part[] = [
  part("received", 0, 3),
  part("waited", 3, 9, { state: "waiting" }),
  part("source", 12, 38, { owner: "source", label: "Postgres" }),
  part("source", 12, 211, { owner: "source", label: "HubSpot" }),
  part("card", 223, 2),
  part("delivery", 230, 182, { owner: "livesupporti", label: "LiveSupporti", note: "200 OK" }),
  part("seen", 412, 0),
];

describe("lay", () => {
  it("puts the goal on the lane and the flag where the agent sees the card", () => {
    const w = lay(shown, 1000);
    expect(w.goal).toBeCloseTo(90.9, 1);
    expect(w.seen).toEqual({ at: expect.closeTo(37.45, 1), ms: 412 });
    expect(w.rows.map((r) => r.label)).toEqual(["received", "waited", "Postgres", "HubSpot", "card", "LiveSupporti"]);
  });

  it("starts sources that were asked at once at the same place", () => {
    const rows = lay(shown, 1000).rows;
    expect(rows[2]!.bars[0]!.at).toBe(rows[3]!.bars[0]!.at);
    expect(rows[3]!.ms).toBe(211);
  });

  it("draws all attempts and the waiting between them in one row", () => {
    const w = lay(
      [
        part("delivery", 230, 148, { owner: "livesupporti", label: "LiveSupporti", state: "failed", note: "400" }),
        part("waited", 378, 250, { state: "waiting" }),
        part("delivery", 628, 141, {
          owner: "livesupporti",
          label: "LiveSupporti",
          state: "failed",
          note: "400 again",
        }),
      ],
      1000,
    );
    expect(w.rows).toHaveLength(1);
    expect(w.rows[0]!.label).toBe("LiveSupporti, 2\u00a0times");
    expect(w.rows[0]!.bars.map((b) => b.state)).toEqual(["failed", "waiting", "failed"]);
    expect(w.rows[0]!.ms).toBe(539);
    expect(w.rows[0]!.note).toBe("400 again");
    expect(w.rows[0]!.failed).toBe(true);
    expect(w.seen).toBeNull();
  });

  it("reaches past the goal when the chat did", () => {
    const w = lay([part("delivery", 0, 2560)], 1000);
    expect(w.goal).toBeCloseTo(36.9, 1);
    expect(w.endedAt).toBeLessThan(100);
    expect(w.ticks.find((t) => t.goal)?.label).toBe("goal 1,000");
  });

  it("keeps every bar and tick on the lane, whatever the numbers are", () => {
    for (const w of [
      lay([], 1000),
      lay([part("received", -5, 2)], 1000),
      lay([part("source", 0, 1e7)], 1000),
      lay(shown, 1),
    ]) {
      for (const at of [
        w.goal,
        w.endedAt,
        ...w.ticks.map((t) => t.at),
        ...w.rows.flatMap((r) => r.bars.flatMap((b) => [b.at, b.at + b.size])),
      ]) {
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThanOrEqual(100.0001);
      }
      expect(w.ticks.length).toBeLessThanOrEqual(8);
    }
  });

  it("lets no tick stand on the goal's", () => {
    const at = lay(shown, 1000).ticks.map((t) => t.at);
    for (let i = 1; i < at.length; i++) expect(at[i]! - at[i - 1]!).toBeGreaterThan(8);
  });
});

describe("spoken", () => {
  it("says how far from the goal it was", () => {
    expect(spoken(lay(shown, 1000), 1000)).toContain("588\u00a0ms before the goal");
    expect(spoken(lay(shown, 400), 400)).toContain("12\u00a0ms past the goal");
    expect(spoken(lay([], 1000), 1000)).toContain("saw nothing");
  });
});
