// What a company uses of its plan: how near to each limit it is, in words and as a tone.
import type { Schemas } from "../../api/client";
import { count } from "../../parts/text";

export type Usage = Schemas["Usage"];
export type Used = Schemas["Used"];
export type UsageDay = Schemas["UsageDay"];

export type Level = "free" | "near" | "full";

/** From this part of a limit on, it is said that it is near. */
const nearFrom = 0.8;

export function level({ used, limit }: Used): Level {
  if (limit === undefined || used < nearFrom * limit) return "free";
  return used < limit ? "near" : "full";
}

/** percent of a limit that is used, 100 at most. */
export function percent({ used, limit }: Used): number {
  return limit === undefined ? 0 : Math.min(100, Math.floor((used / limit) * 100));
}

/** usedText says how much is used: "412 of 500". */
export function usedText({ used, limit }: Used): string {
  return limit === undefined ? `${count(used)}, no limit` : `${count(used)} of ${count(limit)}`;
}

export const levelWords: Record<Level, string> = { free: "", near: "Almost used up", full: "Used up" };

export interface Limit {
  name: string;
  used: Used;
  /** What to do when it is used up. */
  full: string;
}

/** limits lists what a plan limits, in the order of the page. */
export function limits(u: Usage): Limit[] {
  return [
    {
      name: "Chats today",
      used: u.chats_today,
      full: "Chats beyond the limit are kept but not looked up. Replay them on another day, or ask for a larger plan.",
    },
    {
      name: "Sources",
      used: u.connections,
      full: "Remove one you no longer use, or ask for a larger plan.",
    },
    {
      name: "Rows of CSV data",
      used: u.csv_rows,
      full: "Upload shorter files, remove a list you no longer use, or ask for a larger plan.",
    },
    {
      name: "Members and open invitations",
      used: u.members,
      full: "Remove a member or withdraw an invitation you no longer need, or ask for a larger plan.",
    },
    { name: "API tokens", used: u.api_tokens, full: "Revoke one that nobody uses." },
  ];
}

const dayName = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** dayText writes a UTC day: "14 Mar". */
export function dayText(day: string): string {
  return dayName.format(new Date(`${day}T00:00:00Z`));
}

/** planTitle writes a plan's name as a heading does. */
export function planTitle(plan: string): string {
  return plan.charAt(0).toUpperCase() + plan.slice(1);
}
