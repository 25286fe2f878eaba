// Replays on made-up data: each is on its way for some seconds, and one in five finds nobody.
import { details } from "./card.ts";
import { body, chatPage, chats } from "./chats.ts";
import { outcomes } from "./outcomes.ts";
import { csvId, me, postgresId, type S } from "./tenant.ts";

type Selection = Partial<S["ReplayRequest"]>;
type Replay = { id: string; of: S["Chat"]; at: number; by: S["Replayer"]; forced: boolean; ends: number; end: string };

const limit = 1000;
const deadline = 600_000; // ms
const uuid = (n: number) => `0192f3a4-7c1e-7000-8000-${(0x10000 + n).toString(16).padStart(12, "0")}`;
const dana: S["Replayer"] = { user_id: me.user.id, name: me.user.name };
const karel: S["Replayer"] = { user_id: uuid(0), name: "Karel van den Berg" };

const ended = (n: number, of: number, minutes: number, by: S["Replayer"], forced: boolean, end: string): Replay => {
  const at = Date.now() - minutes * 60_000;
  return { id: uuid(n), of: chats[of]!, at, by, forced, ends: at, end };
};
const replays: Replay[] = [ended(1, 6, 24, karel, false, "refused"), ended(2, 6, 4, dana, true, "shown")];

const outcomeOf = (r: Replay): S["Outcome"] => outcomes[Date.now() < r.ends ? "waiting" : r.end]!;
const newest = (chat: S["Chat"]) => replays.filter((r) => r.of === chat).at(-1);

function row(r: Replay): S["Chat"] {
  const outcome = outcomeOf(r);
  const shown = outcome.name === "shown";
  return {
    ...r.of,
    id: r.id,
    received_at: new Date(r.at).toISOString(),
    outcome,
    ms: outcome.name === "waiting" ? undefined : 412,
    attempts: shown ? 1 : 0,
    sources:
      outcome.name === "waiting"
        ? []
        : r.of.sources.map((s) => ({ ...s, match: outcome.name === "no_match" ? "none" : ("found" as const) })),
    replay_of: r.of.id,
    next_try_at: undefined,
  };
}

export function allChats(): S["Chat"][] {
  return [...replays.map(row), ...chats].sort((a, b) => b.received_at.localeCompare(a.received_at));
}

export function page(id: string): S["ChatPage"] | undefined {
  const replay = replays.find((r) => r.id === id);
  if (replay !== undefined) {
    const { of, by, forced } = replay;
    return { ...chatPage(row(replay)), replay_of: of.id, replayed_by: by, forced };
  }
  const chat = chats.find((c) => c.id === id);
  if (chat === undefined) return undefined;
  const list = replays
    .filter((r) => r.of === chat)
    .map((r) => ({ id: r.id, at: new Date(r.at).toISOString(), by: r.by, forced: r.forced, outcome: outcomeOf(r) }));
  return { ...chatPage(chat), replays: list.reverse() };
}

const messages: Record<S["ReplaySkipReason"], string> = {
  details_removed: "What was kept of it has been removed: who it was about and what was sent.",
  not_a_chat: "LiveSupporti told us about something else here, not about the start of a chat.",
  on_its_way: "It has not ended yet, or a replay of it has not. Wait for that outcome first.",
  newer_chat: "The visitor started another chat since, whose details would be overwritten. Replay that one instead.",
  too_old:
    "It started more than 10 minutes ago, so the conversation is probably over. Force the replay to send the details all the same.",
};

function whyNot(chat: S["Chat"], force: boolean): S["ReplaySkipReason"] | undefined {
  const last = newest(chat);
  if (chat.details_removed === true) return "details_removed";
  if (chat.outcome.name === "not_a_chat") return "not_a_chat";
  if (chat.outcome.name === "waiting" || (last && outcomeOf(last).name === "waiting")) return "on_its_way";
  if (chat.outcome.name === "superseded") return "newer_chat";
  return !force && Date.now() - Date.parse(chat.received_at) > deadline ? "too_old" : undefined;
}

function originals({ chat_ids: ids, filter }: Selection): S["Chat"][] {
  if (ids !== undefined) {
    const named = ids.map((id) => replays.find((r) => r.id === id)?.of.id ?? id);
    return chats.filter((c) => named.includes(c.id));
  }
  return chats.filter((c) => {
    const last = newest(c);
    const at = Date.parse(c.received_at);
    return (
      filter?.outcomes.includes(c.outcome.name) &&
      (last === undefined || filter.outcomes.includes(outcomeOf(last).name)) &&
      (filter.from === undefined || at >= Date.parse(filter.from)) &&
      (filter.to === undefined || at < Date.parse(filter.to))
    );
  });
}

function sorted(s: Selection): S["ReplayCount"] & { taken: S["Chat"][] } {
  const found = originals(s);
  const taken: S["Chat"][] = [];
  const skipped = new Map<S["ReplaySkipReason"], number>();
  for (const chat of found) {
    const reason = whyNot(chat, s.force ?? false);
    if (reason === undefined) taken.push(chat);
    else skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  }
  return {
    taken,
    chats: taken.length,
    skipped: [...skipped].map(([reason, n]) => ({ reason, message: messages[reason], chats: n })),
    not_found: (s.chat_ids ?? []).filter((id) => !allChats().some((c) => c.id === id)),
    limit,
    more: false,
  };
}

export function counted(s: Selection): S["ReplayCount"] {
  const { taken: _, ...count } = sorted(s);
  return count;
}

/** The result, or why nothing was replayed. */
export function started(s: Selection): S["ReplayResult"] | string {
  const { taken, skipped, not_found, more } = sorted(s);
  if (taken.length !== s.expect) {
    return `You expected to replay ${s.expect} chats, but now it would be ${taken.length} chats. Count again.`;
  }
  const at = Date.now();
  const fresh = taken.map((of, i): Replay => {
    const end = i % 5 === 4 ? "no_match" : "shown";
    const id = uuid(100 + replays.length + i);
    return { id, of, at: at + i, by: dana, forced: s.force ?? false, ends: at + 1500 + i * 700, end };
  });
  replays.push(...fresh);
  return { replayed: fresh.length, skipped, not_found, more, chats: fresh.map((r) => r.id).slice(0, 100) };
}

export function dryRun(id: string): S["DryRun"] | undefined {
  const chat = chats.find((c) => c.id === id) ?? replays.find((r) => r.id === id)?.of;
  if (chat === undefined) return undefined;
  const reason = whyNot(chat, false);
  const found = !["no_match", "several_matches", "no_email"].includes(chat.outcome.name);
  const keyed = chat.outcome.name !== "no_credentials";
  const source = (connection_id: string, name: string, kind: string, ms: number): S["SourceTime"] => ({
    connection_id,
    name,
    kind,
    match: found ? "found" : "none",
    start_ms: 1,
    ms,
  });
  const now = details
    .filter((d) => d.name !== "Loyalty")
    .map((d) => (d.name === "Order status" ? { ...d, value: "Delivered 23 Nov" } : d));
  const shown = [...now, { name: "Open invoice", value: "none" }];
  const would: S["Outcome"] = {
    name: "shown",
    title: "The agent would see these details",
    message: "Found in Postgres shop-replica and Loyalty list.",
  };
  return {
    outcome: !found
      ? { ...outcomes.no_match!, message: "Asked Postgres shop-replica and Loyalty list. Nothing would be sent." }
      : keyed
        ? would
        : { ...outcomes.no_credentials!, title: "The details are ready, but could not be sent" },
    card_version: 7,
    details: found ? shown : [],
    left_out: found ? [{ label: "Loyalty", why: "empty" }] : [],
    sources:
      chat.outcome.name === "no_email"
        ? []
        : [source(postgresId, "Postgres shop-replica", "postgres", 38), source(csvId, "Loyalty list", "csv", 3.1)],
    request_body: found && keyed ? JSON.stringify({ ...(JSON.parse(body) as object), Fields: shown }) : undefined,
    skip: reason && { reason, message: messages[reason] },
    ms: 41.6,
  };
}
