// The card being made: pure steps from one list of lines to the next.
import type { Card, CardLine, Field } from "../../api/queries";
import { moment } from "../../parts/text";

/** A line with a key of its own, which stays when the line moves. */
export interface DraftLine extends CardLine {
  key: string;
}

/** Draft is what is not published yet, and the version it was made from. */
export interface Draft {
  basedOn: number;
  lines: DraftLine[];
}

/** The fields of one source, in its order. */
export interface SourceFields {
  connectionId: string;
  name: string;
  kind: string;
  fields: Field[];
}

export const formats: { value: NonNullable<CardLine["format"]>; label: string }[] = [
  { value: "text", label: "Text" },
  { value: "number", label: "Number" },
  { value: "date", label: "Date" },
  { value: "date_time", label: "Date and time" },
  { value: "yes_no", label: "Yes or no" },
];

const formatOfKind: Partial<Record<Field["kind"], CardLine["format"]>> = {
  number: "number",
  date: "date",
  datetime: "date_time",
  bool: "yes_no",
};

let keys = 0;

function keyed(line: CardLine): DraftLine {
  return { ...line, key: `line-${++keys}` };
}

/** draftOf starts from a published card. */
export function draftOf(card: Card): Draft {
  return { basedOn: card.version, lines: card.lines.map(keyed) };
}

/** lineOf is the line a field becomes when it is picked. */
export function lineOf(connectionId: string, field: Field): DraftLine {
  return keyed({
    label: labelOf(field),
    connection_id: connectionId,
    field: field.id,
    format: formatOfKind[field.kind] ?? "text",
    hide_if_empty: true,
  });
}

/** labelOf makes words of a column's name: "bought_so_far" is "Bought so far". */
export function labelOf(field: Field): string {
  const words = (field.label || field.id).replace(/[_\s]+/g, " ").trim() || field.id;
  return (words.charAt(0).toUpperCase() + words.slice(1)).slice(0, 60);
}

/** move puts the line with this key at another place. */
export function move(lines: readonly DraftLine[], key: string, to: number): DraftLine[] {
  const from = lines.findIndex((l) => l.key === key);
  if (from < 0) return [...lines];
  const next = [...lines];
  const [line] = next.splice(from, 1);
  next.splice(Math.min(Math.max(to, 0), next.length), 0, line!);
  return next;
}

/** linesOf are the lines as the API takes them. */
export function linesOf(lines: readonly DraftLine[]): CardLine[] {
  return lines.map(({ key: _, ...line }) => ({
    ...line,
    label: line.label.trim(),
    fallback: line.fallback || undefined,
  }));
}

/** same tells whether two lists of lines make the same card. */
export function same(a: readonly CardLine[], b: readonly CardLine[]): boolean {
  return a.length === b.length && a.every((line, i) => sameLine(line, b[i]!));
}

function sameLine(a: CardLine, b: CardLine): boolean {
  return (
    a.label.trim() === b.label.trim() &&
    a.connection_id === b.connection_id &&
    a.field === b.field &&
    (a.format ?? "text") === (b.format ?? "text") &&
    (a.hide_if_empty ?? true) === (b.hide_if_empty ?? true) &&
    (a.fallback ?? "") === (b.fallback ?? "")
  );
}

/** changes says in words what publishing would change. */
export function changes(before: readonly CardLine[], after: readonly CardLine[]): { label: string; what: string }[] {
  const of = (line: CardLine) => `${line.connection_id}/${line.field}`;
  const found: { label: string; what: string }[] = [];
  for (const line of after) {
    const was = before.find((b) => of(b) === of(line));
    if (was === undefined) found.push({ label: line.label, what: "new" });
    else if (was.label !== line.label.trim()) found.push({ label: line.label, what: `was called ${was.label}` });
    else if (!sameLine(was, line)) found.push({ label: line.label, what: "shown in another way" });
  }
  for (const line of before) {
    if (!after.some((a) => of(a) === of(line))) found.push({ label: line.label, what: "removed" });
  }
  if (found.length === 0 && !same(before, after)) found.push({ label: "Order", what: "changed" });
  return found;
}

/** gone tells whether a line's field is missing from its source. A source that could not be asked is no proof. */
export function gone(line: CardLine, sources: readonly SourceFields[], known: readonly string[]): boolean {
  const source = sources.find((s) => s.connectionId === line.connection_id);
  if (source === undefined) return !known.includes(line.connection_id);
  return !source.fields.some((f) => f.id === line.field);
}

const mostSuggested = 6; // lines an agent reads at a glance

/**
 * suggest makes a first card: the name on top, then what comes first in each source, without addresses, ids and
 * what is rarely wanted.
 */
export function suggest(sources: readonly SourceFields[]): DraftLine[] {
  const seen = new Set<string>();
  const picked: { connectionId: string; field: Field }[] = [];
  for (const source of sources) {
    for (const field of source.fields) {
      const label = labelOf(field).toLowerCase();
      if (field.minor || seen.has(label) || /e-?mail|^mail$|(^|[ _])id$/i.test(field.id)) continue;
      seen.add(label);
      picked.push({ connectionId: source.connectionId, field });
    }
  }
  const named = picked.findIndex(
    (p) => /(^|[ _])name$/i.test(p.field.id) && !/(last|first|sur|user)/i.test(p.field.id),
  );
  if (named > 0) picked.unshift(...picked.splice(named, 1));
  return picked.slice(0, mostSuggested).map((p) => lineOf(p.connectionId, p.field));
}

/** exampleEmail is an address from the sources' own samples, to look at the card with. */
export function exampleEmail(sources: readonly SourceFields[]): string {
  const samples = sources.flatMap((s) => s.fields.map((f) => f.sample ?? ""));
  return samples.find((s) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(s)) ?? "";
}

/** lineProblems maps "/lines/2/label" to the third line's label. */
export function lineProblems(fields: readonly { pointer: string; detail: string }[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const f of fields) {
    const at = /^\/lines\/(\d+)/.exec(f.pointer)?.[1];
    if (at !== undefined && !found.has(Number(at))) found.set(Number(at), f.detail);
  }
  return found;
}

/** publishedWhen says when a version was published, and by whom. */
export function publishedWhen(card: Card): string {
  const at = card.published_at === undefined ? "" : moment(new Date(card.published_at));
  return card.published_by ? `${at} by ${card.published_by}` : at;
}
