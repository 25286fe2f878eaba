// Which chats the list shows, as its address says it: ?outcome=refused&time=today.
import type { Schemas } from "./client";

type OutcomeName = Schemas["OutcomeName"];

const spans = ["hour", "today", "week", "own"] as const;

/** A stretch of time that ends now, or the reader's own. */
export type Span = (typeof spans)[number];

export interface ChatFilter {
  outcome?: OutcomeName;
  time?: Span;
  /** Of the reader's own stretch: times of their zone, as an input has them ("2026-11-24T14:02"). */
  from?: string;
  to?: string;
}

const named: Record<OutcomeName, true> = {
  waiting: true,
  shown: true,
  shown_in_part: true,
  no_match: true,
  several_matches: true,
  no_email: true,
  nothing_to_show: true,
  no_card: true,
  superseded: true,
  not_a_chat: true,
  no_credentials: true,
  refused: true,
  lookup_failed: true,
  expired: true,
  erased: true,
  over_quota: true,
};

/** Every outcome that there is. */
export const outcomeNames = Object.keys(named) as OutcomeName[];

/** readFilter takes from an address what is a filter, and drops the rest. */
export function readFilter(search: Record<string, unknown>): ChatFilter {
  const filter: ChatFilter = {};
  const { outcome, time } = search;
  if (typeof outcome === "string" && Object.hasOwn(named, outcome)) filter.outcome = outcome as OutcomeName;
  if (!spans.includes(time as Span)) return filter;
  filter.time = time as Span;
  if (time !== "own") return filter;
  if (instant(search.from) !== undefined) filter.from = String(search.from);
  if (instant(search.to) !== undefined) filter.to = String(search.to);
  return filter;
}

/** filters tells whether a filter may hide anything. */
export function filters(filter: ChatFilter): boolean {
  return filter.outcome !== undefined || Object.keys(boundsOf(filter)).length > 0;
}

/** backwards tells that the reader's own stretch ends before it begins. */
export function backwards({ from, to }: ChatFilter): boolean {
  const [start, end] = [instant(from), instant(to)];
  return start !== undefined && end !== undefined && start >= end;
}

/** boundsOf gives the times that the API takes: received at `from` or later, and before `to`. */
export function boundsOf(filter: ChatFilter, now = new Date()): { from?: string; to?: string } {
  switch (filter.time) {
    case undefined:
      return {};
    case "hour":
      return { from: new Date(now.getTime() - 3_600_000).toISOString() };
    case "today":
      return { from: new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString() };
    case "week":
      return { from: new Date(now.getTime() - 7 * 24 * 3_600_000).toISOString() };
    case "own": {
      const bounds: { from?: string; to?: string } = {};
      const [from, to] = [instant(filter.from), instant(filter.to)];
      if (from !== undefined) bounds.from = from;
      if (to !== undefined) bounds.to = to;
      return bounds;
    }
  }
}

function instant(local: unknown): string | undefined {
  if (typeof local !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(local)) return undefined;
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
