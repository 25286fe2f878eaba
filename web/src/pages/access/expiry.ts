// When a token ends, in words and as a form takes it.
import { moment, plural } from "../../parts/text";

const day = 24 * 3_600_000; // ms
const soonDays = 14; // from here on the end of a token is pointed at

export const fewestDays = 1;
export const mostDays = 366;
export const usualDays = 90;

/** running tells whether a token has not ended by itself. */
export function running(token: { expires_at: string }, now = new Date()): boolean {
  return new Date(token.expires_at) > now;
}

/** leftText says how long a token still works, and whether somebody should see to it. */
export function leftText(end: Date, now = new Date()): { text: string; soon: boolean } {
  const left = end.getTime() - now.getTime();
  if (left <= 0) return { text: moment(end, now), soon: false };
  const text = left < day ? "in less than a day" : `in ${plural(Math.round(left / day), "day")}`;
  return { text, soon: left < soonDays * day };
}

/** readDays takes what was typed: a whole number of days that a token may live, or undefined. */
export function readDays(typed: string): number | undefined {
  if (!/^\d{1,3}$/.test(typed.trim())) return undefined;
  const days = Number(typed);
  return days >= fewestDays && days <= mostDays ? days : undefined;
}

/** endsText says on which day a token that is made now will end: "21 February 2027". */
export function endsText(days: number, now = new Date()): string {
  const end = new Date(now.getTime() + days * day);
  return end.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}
