// Finding fields among over a thousand: what is offered unasked, what a search finds, and how much of it is drawn.
import type { Field } from "../../api/queries";

/** Fields under one heading of their source. */
export interface Group {
  name: string;
  fields: Field[];
}

export interface Found {
  groups: Group[];
  /** How many of what fits are drawn. */
  drawn: number;
  /** How many fit. */
  fitting: number;
  /** Rarely wanted fields that nobody asked for. */
  minor: number;
}

export interface Wish {
  search: string;
  /** Rarely wanted fields too, without a search. */
  minor: boolean;
  /** How many to draw at most. */
  limit: number;
}

/** find gives a source's fields in its order; what a search fits best comes first in its group. */
export function find(fields: readonly Field[], { search, minor, limit }: Wish): Found {
  const words = wordsOf(search);
  const offered = words.length > 0 ? ranked(fields, words) : fields.filter((f) => minor || !f.minor);
  // A source with nothing but rare fields would look empty.
  const fitting = offered.length === 0 && words.length === 0 ? fields : offered;
  const drawn = fitting.slice(0, limit);
  return {
    groups: grouped(drawn),
    drawn: drawn.length,
    fitting: fitting.length,
    minor: words.length > 0 ? 0 : fields.length - fitting.length,
  };
}

/** fits tells whether a field has every word of a search, in its label, its id or its group. */
export function fits(field: Field, search: string): boolean {
  return score(field, wordsOf(search)) > 0;
}

function wordsOf(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean);
}

function ranked(fields: readonly Field[], words: readonly string[]): Field[] {
  return fields
    .map((field) => ({ field, score: score(field, words) }))
    .filter((f) => f.score > 0)
    .sort((a, b) => b.score - a.score) // stable: equals stay in the source's order
    .map((f) => f.field);
}

// Usual before rare, the beginning of a name before its middle, a name before its group; 0 when a word is nowhere.
function score(field: Field, words: readonly string[]): number {
  const label = field.label.toLowerCase();
  const id = field.id.toLowerCase();
  const group = (field.group ?? "").toLowerCase();
  let sum = field.minor ? 1 : 2;
  for (const word of words) {
    if (label.startsWith(word) || id.startsWith(word)) sum += 30;
    else if (label.includes(word) || id.includes(word)) sum += 20;
    else if (group.includes(word)) sum += 10;
    else return 0;
  }
  return sum;
}

function grouped(fields: readonly Field[]): Group[] {
  const groups = new Map<string, Field[]>();
  for (const field of fields) {
    const name = field.group ?? "";
    const list = groups.get(name);
    if (list === undefined) groups.set(name, [field]);
    else list.push(field);
  }
  return [...groups].map(([name, list]) => ({ name, fields: list }));
}
