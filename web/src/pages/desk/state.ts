// What the desk's state means, in words and ticks.
import type { Chat, Desk } from "../../api/queries";
import type { Schemas } from "../../api/client";
import { msText } from "../../parts/text";

/** deskTitle is the page's answer: connected, or what is missing. */
export function deskTitle(desk: Desk): string {
  if (desk.paused) return "LiveSupporti refused the login";
  if (desk.first_signed_at && desk.api_key_set && desk.handshake_at) return "LiveSupporti is connected";
  return "Connect LiveSupporti";
}

export interface Sign {
  state: "done" | "warn" | "bad" | "waiting" | "later";
  title: string;
  text?: string;
  at?: string;
}

/**
 * heard lists what the page waits for, in order, with the last problem in its place. The first thing that is
 * missing is waited for, the others come later.
 */
export function heard(desk: Desk, test: Schemas["DeskTest"] | undefined, firstShown: Chat | undefined): Sign[] {
  const signs: Sign[] = [
    apiKey(desk, test, firstShown),
    sign(
      desk.handshake_at,
      "Handshake received",
      "LiveSupporti knows the address",
      "LiveSupporti calls when you click Create",
    ),
    ...problemOf(desk),
    sign(desk.first_signed_at, "First signed webhook", "Chats are announced", "Start a chat on your site to test it"),
    sign(firstShown?.received_at, "First card shown", shownText(firstShown), "With the time it took"),
  ];
  let waiting = false;
  return signs.map((s) => {
    if (s.state !== "waiting") return s;
    if (waiting) return { ...s, state: "later", text: undefined };
    waiting = true;
    return s;
  });
}

function sign(at: string | undefined, title: string, done: string, missing: string): Sign {
  return at === undefined ? { state: "waiting", title, text: missing } : { state: "done", title, text: done, at };
}

function apiKey(desk: Desk, test: Schemas["DeskTest"] | undefined, firstShown: Chat | undefined): Sign {
  const title = "API key works";
  if (test !== undefined && !test.ok) return { state: "bad", title: test.message, text: test.fix };
  if (desk.paused)
    return { state: "bad", title: "LiveSupporti refused the login", text: desk.problem?.fix, at: desk.problem?.at };
  if (test?.ok) return { state: "done", title, text: test.message };
  if (desk.api_key_set && firstShown !== undefined) return { state: "done", title, text: `Stored for ${desk.email}` };
  return { state: "waiting", title, text: desk.api_key_set ? "Stored, not tested yet" : "Store it in step 1" };
}

function problemOf(desk: Desk): Sign[] {
  const p = desk.problem;
  if (p === undefined || desk.paused) return [];
  return [{ state: "warn", title: p.message, text: p.fix, at: p.at }];
}

function shownText(chat: Chat | undefined): string {
  return chat?.ms === undefined ? "The agent saw it" : `The agent saw it after ${msText(chat.ms)}`;
}
