// Where the bars of a chat's timeline stand: pure geometry, in per cent of the lane.
import type { Schemas } from "../api/client";
import { count, msText, plural } from "./text";

export type Part = Schemas["Part"];

/** A bar of one row. `at` and `size` are per cent of the lane. */
export interface Bar {
  at: number;
  size: number;
  owner: Part["owner"];
  state: Part["state"];
}

/** One part of the chat: its name, its bars, its milliseconds and what there is to say. */
export interface Row {
  key: string;
  label: string;
  bars: Bar[];
  ms: number;
  note: string;
  end: number; // per cent where the last bar ends, where the note begins
  failed: boolean;
}

export interface Tick {
  at: number;
  label: string;
  goal: boolean;
}

export interface Waterfall {
  rows: Row[];
  ticks: Tick[];
  goal: number; // per cent
  seen: { at: number; ms: number } | null; // when the agent saw the card
  endedAt: number; // per cent of the end of the last part
}

/** lay places the parts on a lane that goes from 0 to a little past the goal, or past the last part. */
export function lay(parts: readonly Part[], goalMs: number): Waterfall {
  const last = Math.max(0, ...parts.map((p) => p.start_ms + p.ms));
  const span = Math.max(goalMs * 1.1, last * 1.06, 1);
  const place = (ms: number) => clamp((ms / span) * 100);
  const seen = parts.find((p) => p.name === "seen");
  return {
    rows: rowsOf(parts).map((row, i) => rowAt(row, i, place)),
    ticks: ticksOf(goalMs, span).map((t) => ({
      at: place(t),
      label: t === goalMs ? `goal ${count(t)}` : count(t),
      goal: t === goalMs,
    })),
    goal: place(goalMs),
    seen: seen === undefined ? null : { at: place(seen.start_ms), ms: seen.start_ms },
    endedAt: place(last),
  };
}

/** One row a part, but all deliveries, with the waiting between them, share one. */
function rowsOf(parts: readonly Part[]): Part[][] {
  const rows: Part[][] = [];
  const firstDelivery = parts.findIndex((p) => p.name === "delivery");
  const deliveries: Part[] = [];
  parts.forEach((part, i) => {
    if (part.name === "seen") return;
    const between = part.name === "waited" && firstDelivery >= 0 && i > firstDelivery;
    if (part.name !== "delivery" && !between) {
      rows.push([part]);
      return;
    }
    if (deliveries.length === 0) rows.push(deliveries);
    deliveries.push(part);
  });
  return rows;
}

function rowAt(parts: Part[], index: number, place: (ms: number) => number): Row {
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  const tries = parts.filter((p) => p.name === "delivery");
  return {
    key: `${index}-${first.name}`,
    label: tries.length > 1 ? `${first.label}, ${plural(tries.length, "time")}` : first.label,
    bars: parts.map((p) => ({
      at: place(p.start_ms),
      size: place(p.start_ms + p.ms) - place(p.start_ms),
      owner: p.owner,
      state: p.state,
    })),
    ms: last.start_ms + last.ms - first.start_ms,
    note: (tries[tries.length - 1] ?? first).note,
    end: place(last.start_ms + last.ms),
    failed: (tries[tries.length - 1] ?? last).state === "failed",
  };
}

/** Round steps, at most six, and always the goal; a step too close to the goal gives way to it. */
function ticksOf(goalMs: number, span: number): number[] {
  const step = niceStep(span / 5.5);
  const ticks = [goalMs];
  for (let t = 0; t < span; t += step) {
    if (Math.abs(t - goalMs) > step * 0.45) ticks.push(t);
  }
  return ticks.sort((a, b) => a - b);
}

function niceStep(atLeast: number): number {
  const size = 10 ** Math.floor(Math.log10(atLeast));
  return [1, 2.5, 5, 10].map((n) => n * size).find((step) => step >= atLeast) ?? size * 10;
}

function clamp(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}

/** spoken says a waterfall in one sentence, for those who do not see the bars. */
export function spoken(w: Waterfall, goalMs: number): string {
  if (w.seen === null) return `The agent saw nothing. The goal was ${msText(goalMs)}.`;
  const rest = goalMs - w.seen.ms;
  return rest >= 0
    ? `The agent saw the card after ${msText(w.seen.ms)}, ${msText(rest)} before the goal.`
    : `The agent saw the card after ${msText(w.seen.ms)}, ${msText(-rest)} past the goal.`;
}
