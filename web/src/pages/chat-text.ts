// Words and bytes of the chat page.
import type { ChatPage } from "../api/queries";

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

/** prettyBody indents JSON for reading; anything else stays as it was sent. */
export function prettyBody(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
