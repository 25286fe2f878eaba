// What an entry of the audit log says has changed, as lines of two columns.
import { count } from "../../parts/text";

type Values = Record<string, unknown>;

/** One thing that changed; undefined stands for what was not there. */
export interface Change {
  /** As the log names it: "settings.host". */
  path: string;
  before?: string;
  after?: string;
}

/** changesOf lines up what was with what is, in the order of their names. Objects are taken apart. */
export function changesOf(entry: { before?: Values; after?: Values }): Change[] {
  const before = flat(entry.before ?? {});
  const after = flat(entry.after ?? {});
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((path) => ({ path, before: before.get(path), after: after.get(path) }));
}

/** nameText is the name of what changed, in words: "second factor required", "settings: host". */
export function nameText(path: string): string {
  const [first = "", ...rest] = path.split(".").map((part) => part.replaceAll("_", " "));
  return rest.length === 0 ? first : `${first}: ${rest.join(" ")}`;
}

function flat(values: Values, prefix = "", into = new Map<string, string>()): Map<string, string> {
  for (const [name, value] of Object.entries(values)) {
    const path = prefix + name;
    if (isObject(value) && Object.keys(value).length > 0) flat(value, `${path}.`, into);
    else into.set(path, valueText(value));
  }
  return into;
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueText(value: unknown): string {
  if (value === null || value === "") return "empty";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isInteger(value) ? count(value) : String(value);
  if (typeof value === "string") return instantText(value) ?? value;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(valueText).join(", ");
  return Object.keys(value as object).length === 0 ? "none" : JSON.stringify(value);
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

// With the year, and in the reader's zone: an old entry is read as such.
function instantText(text: string): string | undefined {
  if (!instant.test(text)) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return undefined;
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  return `${day}, ${at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false })}`;
}
