// Words and bytes of the chat page.
import type { ChatPage } from "../api/queries";
import { ageText, plural } from "../parts/text";

type LeftOut = ChatPage["left_out"][number];

const whys: Record<LeftOut["why"], string> = {
  empty: "empty",
  no_match: "not found",
  several_matches: "several matches",
  source_failed: "its source failed",
};

/** leftOutText names a line that is not on the card, and why. */
export function leftOutText(line: LeftOut): string {
  return `${line.label}, ${whys[line.why]}`;
}

/** footText says under a card which one it is, and what is not on it. */
export function footText(version: number, details: ChatPage["details"], leftOut: readonly LeftOut[]): string {
  const sent = `Card v${version}. ${plural(details.length, "detail")}`;
  return leftOut.length === 0 ? `${sent}.` : `${sent}. Left out: ${leftOut.map(leftOutText).join("; ")}.`;
}

/** prettyBody indents JSON for reading; anything else stays as it was sent. */
export function prettyBody(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** withAges says in a source's part of the timeline that its answer is from an earlier lookup, and how old it is. */
export function withAges(timeline: ChatPage["timeline"], sources: ChatPage["sources"]): ChatPage["timeline"] {
  const left = [...sources];
  return timeline.map((part) => {
    const i = part.name === "source" ? left.findIndex((s) => s.name === part.label) : -1;
    const age = i < 0 ? undefined : left.splice(i, 1)[0]?.age_ms;
    return age === undefined ? part : { ...part, note: [part.note, ageText(age)].filter(Boolean).join(", ") };
  });
}
