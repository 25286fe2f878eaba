// The tenant's chats, one of each outcome.
import { details } from "./card.ts";
import { maskEmail } from "../src/parts/text.ts";
import { outcomes } from "./outcomes.ts";
import { ago, csvId, postgresId, uuid, type S } from "./tenant.ts";

const rows: [keyof typeof outcomes & string, number, string | undefined, number | undefined, number][] = [
  ["waiting", 2, "o…@hallberg.no", undefined, 0],
  ["shown_in_part", 32, "b…@proton.me", 298, 1],
  ["shown", 160, "m…@lindqvist.se", 412, 1],
  ["no_match", 300, "s…@gmail.com", 61, 0],
  ["no_email", 900, undefined, 2, 0],
  ["shown", 1100, "a…@outlook.com", 371, 1],
  ["refused", 1700, "k…@vandenberg.nl", 2330, 4],
  ["shown", 1900, "p…@moreau.fr", 1140, 2],
  ["nothing_to_show", 2300, "t…@icloud.com", 44, 0],
  ["expired", 2900, "l…@bianchi.it", 60_000, 0],
  ["several_matches", 3100, "h…@yahoo.de", 51, 0],
  ["superseded", 3300, "h…@yahoo.de", 20, 0],
  ["no_credentials", 4000, "e…@fastmail.com", 12, 0],
  ["lookup_failed", 90_000, "e…@fastmail.com", 5012, 0],
  ["no_card", 180_000, "e…@fastmail.com", 4, 0],
  ["retrying", 45, "n…@solberg.no", undefined, 2],
];

type Match = S["SourceTime"]["match"];

const matchesOf: Partial<Record<string, [Match, Match]>> = {
  shown: ["found", "found"],
  shown_in_part: ["found", "failed"],
  no_match: ["none", "none"],
  several_matches: ["ambiguous", "none"],
  refused: ["found", "none"],
  retrying: ["found", "found"],
  nothing_to_show: ["found", "none"],
  expired: ["failed", "failed"],
  lookup_failed: ["failed", "failed"],
};

export const chats: S["Chat"][] = rows.map(([name, seconds, visitor_email, ms, attempts], i) => {
  const match = matchesOf[name];
  return {
    id: uuid(100 + i),
    received_at: ago(seconds),
    visitor_id: `169.26.97.${99 + i}-1231178`,
    visitor_email,
    outcome: outcomes[name]!,
    ms,
    attempts,
    sources: match
      ? [
          { connection_id: postgresId, name: "Postgres shop-replica", kind: "postgres", match: match[0] },
          { connection_id: csvId, name: "Loyalty list", kind: "csv", match: match[1] },
        ]
      : [],
    next_try_at: name === "retrying" ? ago(-25) : undefined,
  };
});

const part = (
  name: S["Part"]["name"],
  owner: S["Part"]["owner"],
  label: string,
  start_ms: number,
  ms: number,
  note = "",
  state: S["Part"]["state"] = "work",
): S["Part"] => ({
  name,
  owner,
  label,
  start_ms,
  ms,
  state,
  note,
});

const timelines: Record<string, S["Part"][]> = {
  shown: [
    part("received", "sidecard", "Received", 0, 3, "signature ok, saved"),
    part("waited", "sidecard", "Waited", 3, 9, "", "waiting"),
    part("source", "source", "Postgres shop-replica", 12, 0.4, "1 record"),
    part("source", "source", "Loyalty list", 12, 211, "1 record"),
    part("card", "sidecard", "Card v7", 223, 2, "6 lines filled, 1 left out"),
    part("waited", "sidecard", "Waited", 225, 5, "", "waiting"),
    part("delivery", "livesupporti", "LiveSupporti", 230, 182, "200 OK"),
    part("seen", "livesupporti", "Agent sees it", 412, 0),
  ],
  refused: [
    part("received", "sidecard", "Received", 0, 3, "signature ok, saved"),
    part("source", "source", "Postgres shop-replica", 12, 41, "1 record"),
    part("source", "source", "Loyalty list", 12, 214, "nobody"),
    part("card", "sidecard", "Card v7", 229, 2, "4 lines filled, 3 left out"),
    part("delivery", "livesupporti", "LiveSupporti", 231, 148, "400 Bad Request", "failed"),
    part("waited", "sidecard", "Waited", 379, 250, "", "waiting"),
    part("delivery", "livesupporti", "LiveSupporti", 629, 141, "400 Bad Request", "failed"),
    part("waited", "sidecard", "Waited", 770, 500, "", "waiting"),
    part("delivery", "livesupporti", "LiveSupporti", 1270, 139, "400 Bad Request", "failed"),
    part("waited", "sidecard", "Waited", 1409, 1000, "", "waiting"),
    part("delivery", "livesupporti", "LiveSupporti", 2409, 152, "400 Bad Request", "failed"),
  ],
  no_match: [
    part("received", "sidecard", "Received", 0, 3, "signature ok, saved"),
    part("waited", "sidecard", "Waited", 3, 6, "", "waiting"),
    part("source", "source", "Postgres shop-replica", 9, 38, "nobody"),
    part("source", "source", "Loyalty list", 9, 3, "nobody"),
  ],
};

export const body = JSON.stringify({
  AccountId: "b943010f-b565-4731-9f34-42c54319957f",
  AgentId: "150",
  VisitorId: "169.26.97.99-1231178",
  Fields: details.map((d) => ({ name: d.name, value: d.value })),
});

/** The page of a chat that is no replay. */
export function chatPage(chat: S["Chat"]): S["ChatPage"] {
  const name = chat.outcome.name;
  const shown = name === "shown" || name === "shown_in_part";
  const sent = shown || name === "refused" || chat.next_try_at !== undefined;
  const tries: S["Attempt"][] = Array.from({ length: chat.attempts }, (_, i) => ({
    number: i + 1,
    at: new Date(Date.parse(chat.received_at) + 230 + i * 400).toISOString(),
    ms: 182 - i,
    status: shown && i === chat.attempts - 1 ? 200 : 400,
    verdict: shown && i === chat.attempts - 1 ? "accepted" : "refused",
    message: shown && i === chat.attempts - 1 ? "LiveSupporti took the details." : "LiveSupporti refused the details.",
    excerpt: shown ? undefined : "Visitor not found",
  }));
  if (chat.details_removed === true) return remains(chat);
  return {
    chat,
    notification_id: "7f0c2b1d5a9e4c3f8d6b7a1e2a91be2a",
    account_id: "b943010f-b565-4731-9f34-42c54319957f",
    agent_id: "150",
    action: "chatstarted",
    unsigned: false,
    card_version: sent ? 7 : undefined,
    timeline: timelines[shown ? "shown" : name] ?? timelines.no_match!.slice(0, 2),
    sources: chat.sources.map((s, i) => ({
      ...s,
      start_ms: 12,
      ms: i > 0 ? 211 : shown ? 0.4 : 38,
      age_ms: i === 0 && shown ? 12 * 60_000 : undefined,
    })),
    delivery_attempts: tries,
    details: sent ? details : [],
    left_out: sent ? [{ label: "Nickname", why: "empty" }] : [],
    request_body: sent ? body : undefined,
    next_try_at: chat.next_try_at,
    deadline_at: chat.next_try_at && ago(-555),
    forced: false,
    replays: [],
  };
}

/** What is still known of a chat whose details were removed. */
function remains(chat: S["Chat"]): S["ChatPage"] {
  return {
    chat,
    notification_id: "",
    account_id: "",
    agent_id: "",
    action: "",
    unsigned: false,
    timeline: [],
    sources: [],
    delivery_attempts: [],
    details: [],
    left_out: [],
    forced: false,
    replays: [],
  };
}

/** erase forgets the chats of a visitor, as far as the masked addresses tell whose they are. */
export function erase(email: string, visitor: string): S["Erasure"] {
  const gone = chats.filter((c) =>
    email === "" ? c.visitor_id === visitor : c.visitor_email === maskEmail(email.trim().toLowerCase()),
  );
  const unfinished = gone.filter((c) => c.outcome.name === "waiting").length;
  for (const chat of gone) {
    if (chat.outcome.name === "waiting") chat.outcome = outcomes.erased!;
    else chat.outcome = { ...chat.outcome, message: "Its details were removed since." };
    Object.assign(chat, {
      details_removed: true,
      visitor_id: "",
      visitor_email: undefined,
      sources: [],
      next_try_at: undefined,
    });
  }
  return { chats: gone.length, unfinished, rows: email === "" ? 0 : gone.length > 0 ? 1 : 0 };
}
