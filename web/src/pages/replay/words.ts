// Words for replays: the deed with its number, what is left out, how far it is.
import type { ReplayCount, Tally } from "../../api/replays";
import { count, plural } from "../../parts/text";

/** deed names the button: "Replay 12 chats with card v7". */
export function deed(chats: number, card?: number): string {
  const what = `Replay ${plural(chats, "chat")}`;
  return card === undefined || card === 0 ? what : `${what} with card v${card}`;
}

/** countText answers a count in a sentence. */
export function countText({ chats, skipped, not_found: gone }: ReplayCount): string {
  const left = skipped.reduce((sum, s) => sum + s.chats, 0) + gone.length;
  if (chats === 0 && left === 0) return "No chat fits this choice.";
  if (chats === 0) return left === 1 ? "This chat is left out." : `All ${plural(left, "chat")} are left out.`;
  const taken = `${plural(chats, "chat")} will be replayed`;
  return left === 0 ? `${taken}.` : `${taken}, ${count(left)} left out.`;
}

/** sameText explains why fewer chats are counted than were named: a replay stands for its original. */
export function sameText(named: number, { chats, skipped, not_found: gone }: ReplayCount): string | undefined {
  const counted = skipped.reduce((sum, s) => sum + s.chats, chats) + gone.length;
  if (named <= counted) return undefined;
  return "Of a chat and its replays, one is replayed: the chat.";
}

/** moreText says what one call leaves for the next. */
export function moreText({ chats, limit }: ReplayCount): string {
  return chats < limit
    ? "More chats fit than Sidecard looks at in one go. Replay these, then come back for the older ones."
    : `More than ${plural(limit, "chat")} fit. The newest ${count(limit)} are replayed now; come back afterwards for the rest.`;
}

/** changedText explains why nothing was replayed: the number is another by now. */
export function changedText(before: number, after: number): string {
  if (before === after) {
    return `The number was another for a moment and is ${count(after)} again. Nothing was replayed. Look again, then decide.`;
  }
  const now = after === 0 ? "no chat is left to replay" : `it is ${plural(after, "chat")} now`;
  return `It was ${plural(before, "chat")} when you pressed the button, and ${now}. Nothing was replayed. Look again, then decide.`;
}

/** startedText is the heading over the progress. */
export function startedText(replayed: number): string {
  return replayed === 1 ? "1 replay started" : `${count(replayed)} replays started`;
}

/** tallyText says how far it is: "7 shown, 1 not shown, 4 on the way". */
export function tallyText({ shown, notShown, onTheWay }: Tally): string {
  const parts = [`${count(shown)} shown`];
  if (notShown > 0) parts.push(`${count(notShown)} not shown`);
  if (onTheWay > 0) parts.push(`${count(onTheWay)} on the way`);
  return parts.join(", ");
}

/** lasting writes a whole stretch of time: "10 minutes". */
export function lasting(seconds: number): string {
  if (seconds % 3600 === 0) return plural(seconds / 3600, "hour");
  return seconds % 60 === 0 ? plural(seconds / 60, "minute") : plural(seconds, "second");
}
