// Replays: how many it would be, the deed, and what became of them; and the dry run of one chat.
import { queryOptions } from "@tanstack/react-query";
import { boundsOf, outcomeNames, type ChatFilter } from "./chat-filter";
import { api, data, type Schemas } from "./client";

type Chat = Schemas["Chat"];
export type ReplayCount = Schemas["ReplayCount"];
export type ReplaySkip = Schemas["ReplaySkip"];
export type ReplayResult = Schemas["ReplayResult"];
export type DryRun = Schemas["DryRun"];

/** Which chats to replay. */
export type Selection = Pick<Schemas["ReplaySelection"], "chat_ids"> | Pick<Schemas["ReplaySelection"], "filter">;

/** The most chats that can be named in one replay. */
export const mostNamed = 1000;

/** matching selects what a filter lets through now. */
export function matching(filter: ChatFilter, now = new Date()): Selection {
  const outcomes = filter.outcome === undefined ? outcomeNames : [filter.outcome];
  return { filter: { outcomes, ...boundsOf(filter, now) } };
}

/** How many chats a replay would take. Asked once for each choice, so that the number does not change by itself. */
export const replayCount = (selection: Selection, force: boolean) =>
  queryOptions({
    queryKey: ["replays", "count", selection, force],
    queryFn: ({ signal }) => data(api.POST("/api/v1/replays/count", { body: { ...selection, force }, signal })),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });

/** replay starts the replays when there are still as many as expected; else it fails with 409. */
export function replay(selection: Selection, force: boolean, expect: number): Promise<ReplayResult> {
  return data(api.POST("/api/v1/replays", { body: { ...selection, force, expect } }));
}

export const dryRun = (chatId: string) =>
  queryOptions({
    queryKey: ["dry-run", chatId],
    queryFn: ({ signal }) =>
      data(api.POST("/api/v1/chats/{chat_id}/dry-run", { params: { path: { chat_id: chatId } }, signal })),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** The last replay that was started from the list, until it is dismissed. It outlives the page. */
export const lastRun = () =>
  queryOptions<ReplayResult | null>({
    queryKey: ["replays", "last"],
    queryFn: () => null,
    initialData: null,
    enabled: false,
    gcTime: Infinity,
    staleTime: Infinity,
  });

/** What is known of started replays, by their id. */
export type Seen = Record<string, Chat>;

const pagesALook = 3; // of 100 chats; what lies further back is seen when the newer ones have ended

/** The replays as chats, looked at each second until all have ended. */
export const progress = (ids: readonly string[]) =>
  queryOptions({
    queryKey: ["replays", "progress", ids],
    queryFn: async ({ signal, client, queryKey }) => {
      const seen: Seen = { ...client.getQueryData<Seen>(queryKey) };
      const open = new Set(pending(ids, seen));
      const oldest = least([...open]);
      let before = open.size > 0 ? following(greatest([...open])) : undefined;
      for (let page = 0; page < pagesALook && before !== undefined; page++) {
        const { chats, next } = await data(
          api.GET("/api/v1/chats", { params: { query: { limit: 100, before } }, signal }),
        );
        for (const chat of chats) if (open.has(chat.id)) seen[chat.id] = chat;
        before = next !== undefined && next > oldest ? next : undefined;
      }
      return seen;
    },
    refetchInterval: (query) => (pending(ids, query.state.data ?? {}).length > 0 ? 1000 : false),
  });

function pending(ids: readonly string[], seen: Seen): string[] {
  return ids.filter((id) => seen[id] === undefined || seen[id].outcome.name === "waiting");
}

function least(ids: readonly string[]): string {
  return ids.reduce((a, b) => (a < b ? a : b), ids[0] ?? "");
}

function greatest(ids: readonly string[]): string {
  return ids.reduce((a, b) => (a > b ? a : b), "");
}

/** following is the id that sorts just after another. Chats are listed by id, newest first. */
export function following(id: string): string {
  const hex = (BigInt(`0x${id.replaceAll("-", "")}`) + 1n).toString(16).padStart(32, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export interface Tally {
  shown: number;
  notShown: number;
  onTheWay: number;
}

/** tally counts what became of the replays. What has not been seen yet is on its way. */
export function tally(ids: readonly string[], seen: Seen): Tally {
  const t: Tally = { shown: 0, notShown: 0, onTheWay: 0 };
  for (const id of ids) {
    const name = seen[id]?.outcome.name ?? "waiting";
    if (name === "waiting") t.onTheWay++;
    else if (name === "shown" || name === "shown_in_part") t.shown++;
    else t.notShown++;
  }
  return t;
}
