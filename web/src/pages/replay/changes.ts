// The difference between what an agent was sent then and what would be sent now.
import type { Detail } from "../../parts/AgentCard";

export type Change =
  | { name: string; what: "added"; after: string }
  | { name: string; what: "changed"; before: string; after: string }
  | { name: string; what: "gone"; before: string };

export interface Difference {
  changes: Change[];
  /** Lines that are as they were. */
  same: number;
  /** The lines are the same, in another order. */
  moved: boolean;
}

/**
 * differenceOf compares two cards line by line. A line is known by its name; of several with one name, the first
 * belongs to the first. Changes come in the order of the new card, then what is gone.
 */
export function differenceOf(then: readonly Detail[], now: readonly Detail[]): Difference {
  const before = keyed(then);
  const after = keyed(now);
  const changes: Change[] = [];
  let same = 0;
  for (const [key, { name, value }] of after) {
    const old = before.get(key);
    if (old === undefined) changes.push({ name, what: "added", after: value });
    else if (old.value !== value) changes.push({ name, what: "changed", before: old.value, after: value });
    else same++;
  }
  for (const [key, { name, value }] of before) {
    if (!after.has(key)) changes.push({ name, what: "gone", before: value });
  }
  const order = [...before.keys()];
  const moved = changes.length === 0 && [...after.keys()].some((key, i) => key !== order[i]);
  return { changes, same, moved };
}

function keyed(details: readonly Detail[]): Map<string, Detail> {
  const lines = new Map<string, Detail>();
  const times = new Map<string, number>();
  for (const line of details) {
    const time = times.get(line.name) ?? 0;
    times.set(line.name, time + 1);
    lines.set(`${time} ${line.name}`, line);
  }
  return lines;
}
