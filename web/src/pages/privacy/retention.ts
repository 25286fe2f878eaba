// The times for which details can be kept, in words.
import { plural } from "../../parts/text";

const usual = [1, 7, 14, 30, 60, 90, 180, 365];

/** The days to choose from: the usual ones, and what is set now. */
export function choices(now: number): number[] {
  return [...new Set([...usual, now])].sort((a, b) => a - b);
}

export function daysText(days: number): string {
  return days === 365 ? "1\u00a0year" : plural(days, "day");
}
