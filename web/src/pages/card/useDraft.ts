// Keeps the draft while the tab is open, so that looking something up on another page loses nothing. It holds
// labels and field names, never a visitor's value.
import { useState } from "react";
import type { Card } from "../../api/queries";
import { currentMe } from "../../api/session";
import { draftOf, linesOf, same, type Draft, type DraftLine } from "./draft";

export interface Drafting {
  lines: DraftLine[];
  basedOn: number;
  changed: boolean;
  set: (change: (lines: DraftLine[]) => DraftLine[]) => void;
  /** Starts again from a card, published or old; nothing of the draft stays. */
  startFrom: (card: Card, basedOn?: number) => void;
}

export function useDraft(published: Card): Drafting {
  const [draft, setDraft] = useState<Draft>(() => stored() ?? draftOf(published));
  const keep = (next: Draft) => {
    setDraft(next);
    store(same(next.lines, published.lines) ? null : next);
  };
  return {
    lines: draft.lines,
    basedOn: draft.basedOn,
    changed: !same(draft.lines, published.lines),
    set: (change) => keep({ ...draft, lines: change(draft.lines) }),
    startFrom: (card, basedOn = card.version) => {
      const next = { ...draftOf(card), basedOn };
      setDraft(next);
      store(basedOn === card.version ? null : next);
    },
  };
}

function storageKey(): string {
  return `sidecard.draft.${currentMe()?.tenant.id ?? ""}`;
}

function stored(): Draft | null {
  try {
    const draft = JSON.parse(sessionStorage.getItem(storageKey()) ?? "null") as Draft | null;
    return draft === null ? null : { ...draftOf({ version: draft.basedOn, lines: linesOf(draft.lines) }) };
  } catch {
    return null;
  }
}

function store(draft: Draft | null): void {
  if (draft === null) sessionStorage.removeItem(storageKey());
  else sessionStorage.setItem(storageKey(), JSON.stringify(draft));
}
