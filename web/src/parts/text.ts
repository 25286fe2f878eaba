// Numbers, times and addresses as people read them. Numbers and units are bound by U+00A0.
const nbsp = "\u00a0";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** count writes a whole number with thousands: 51,066. */
export function count(n: number): string {
  return whole.format(n);
}

/** ms writes a duration in milliseconds without its unit; what took less than one is "<1". */
export function ms(value: number): string {
  return value > 0 && value < 1 ? "<1" : whole.format(value);
}

/** msText writes a duration with its unit: "412 ms". */
export function msText(value: number): string {
  return `${ms(value)}${nbsp}ms`;
}

/** ageText says how old something is, roughly: "12 min old". */
export function ageText(age: number): string {
  if (age < 60_000) return `${whole.format(Math.max(1, age / 1000))}${nbsp}s old`;
  if (age < 3_600_000) return `${whole.format(Math.floor(age / 60_000))}${nbsp}min old`;
  return `${whole.format(Math.floor(age / 3_600_000))}${nbsp}h old`;
}

/** plural chooses the form: plural(2, "row") is "2 rows". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)}${nbsp}${n === 1 ? one : many}`;
}

/** listed joins words as a sentence does: "a, b and c". */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** maskEmail keeps the first character and the domain, as the API masks visitors: m…@lindqvist.se. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf("@");
  if (at < 0) return email === "" ? "" : `${firstOf(email)}…`;
  return `${firstOf(email.slice(0, at))}…${email.slice(at)}`;
}

/** untitled drops the full stop that a heading does without. */
export function untitled(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

/** clock writes a time of day: 14:02:07. */
export function clock(at: Date): string {
  return at.toLocaleTimeString("en-GB", { hour12: false });
}

/** moment writes a time of day, with the date when it was not today: "18 Nov, 09:12". */
export function moment(at: Date, now = new Date()): string {
  if (at.toDateString() === now.toDateString()) return clock(at);
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year });
  return `${day}, ${at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false })}`;
}

/** utc writes the exact time, for a title: "2026-11-24 13:02:07.412 UTC". */
export function utc(at: Date): string {
  return at.toISOString().replace("T", " ").replace("Z", " UTC");
}

/** initials are at most two letters for a person's badge. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = firstOf(words[0] ?? "");
  const last = words.length > 1 ? firstOf(words[words.length - 1] ?? "") : "";
  return (first + last).toUpperCase();
}

function firstOf(text: string): string {
  return [...text][0] ?? "";
}
