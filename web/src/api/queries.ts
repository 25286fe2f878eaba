// What the pages read, by name, and how often it is read again.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { boundsOf, type ChatFilter } from "./chat-filter";
import { api, data, type Schemas } from "./client";
import { changed, currentMe } from "./session";

export type Chat = Schemas["Chat"];
export type ChatPage = Schemas["ChatPage"];
export type OutcomeName = Schemas["OutcomeName"];
export type Desk = Schemas["Desk"];
export type Connection = Schemas["Connection"];
export type Connector = Schemas["Connector"];
export type Card = Schemas["Card"];
export type CardLine = Schemas["CardLine"];
export type Preview = Schemas["Preview"];
export type Field = Schemas["Field"];
export type ImportReport = Schemas["ImportReport"];
export type LookupResult = Schemas["LookupResult"];

const live = 2000; // ms between looks at what changes by itself

/** The signed-in member, as the server sees them now. */
export const me = () =>
  queryOptions({
    queryKey: ["me"],
    queryFn: async ({ signal }) => {
      const now = await data(api.GET("/api/v1/me", { signal }));
      if (currentMe() !== null) changed(now); // not after signing out
      return now;
    },
    initialData: () => currentMe() ?? undefined, // as of the last renewal
    initialDataUpdatedAt: 0, // so that it is asked for anew
  });

export const desk = () =>
  queryOptions({ queryKey: ["desk"], queryFn: ({ signal }) => data(api.GET("/api/v1/desk", { signal })) });

export const liveDesk = () => queryOptions({ ...desk(), refetchInterval: live });

export const rejections = () =>
  queryOptions({
    queryKey: ["desk", "rejections"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/desk/rejections", { signal }))).rejections,
    refetchInterval: live,
  });

export const connectors = () =>
  queryOptions({
    queryKey: ["connectors"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/connectors", { signal }))).connectors,
    staleTime: Infinity,
  });

export const connections = () =>
  queryOptions({
    queryKey: ["connections"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/connections", { signal }))).connections,
  });

export const connection = (id: string) =>
  queryOptions({
    queryKey: ["connections", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/connections/{connection_id}", { params: { path: { connection_id: id } }, signal })),
  });

export const fields = (id: string) =>
  queryOptions({
    queryKey: ["connections", id, "fields"],
    queryFn: async ({ signal }) =>
      (
        await data(
          api.GET("/api/v1/connections/{connection_id}/fields", { params: { path: { connection_id: id } }, signal }),
        )
      ).fields,
    staleTime: 60_000,
    retry: false,
  });

export const lookup = (id: string, email: string) =>
  queryOptions({
    queryKey: ["connections", id, "lookup", email],
    queryFn: ({ signal }) =>
      data(
        api.POST("/api/v1/connections/{connection_id}/lookup", {
          params: { path: { connection_id: id } },
          body: { email },
          signal,
        }),
      ),
    enabled: email !== "",
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  });

export const card = () =>
  queryOptions({ queryKey: ["card"], queryFn: ({ signal }) => data(api.GET("/api/v1/card", { signal })) });

export const cardVersions = () =>
  queryOptions({
    queryKey: ["card", "versions"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/card/versions", { signal }))).versions,
  });

export const preview = (email: string, lines: CardLine[]) =>
  queryOptions({
    queryKey: ["card", "preview", email, lines],
    queryFn: ({ signal }) => data(api.POST("/api/v1/card/preview", { body: { email, lines }, signal })),
    enabled: email !== "" && lines.length > 0,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  });

/** The newest chats that a filter lets through, a page at a time, seen again every two seconds. */
export const chats = (filter: ChatFilter, follow: boolean) =>
  infiniteQueryOptions({
    queryKey: ["chats", filter],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/chats", {
          params: { query: { limit: 50, before: pageParam, outcome: filter.outcome, ...boundsOf(filter) } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    refetchInterval: follow ? live : false,
  });

export const latestChats = (limit: number) =>
  queryOptions({
    queryKey: ["chats", "latest", limit],
    queryFn: async ({ signal }) =>
      (await data(api.GET("/api/v1/chats", { params: { query: { limit } }, signal }))).chats,
    refetchInterval: live,
  });

/** A chat whose card an agent saw, or null while there is none. It is looked for until it is there. */
export const shownChat = () =>
  queryOptions({
    queryKey: ["chats", "shown"],
    queryFn: async ({ signal }) => {
      for (const outcome of ["shown", "shown_in_part"] as const) {
        const { chats } = await data(api.GET("/api/v1/chats", { params: { query: { limit: 1, outcome } }, signal }));
        if (chats[0] !== undefined) return chats[0];
      }
      return null;
    },
    refetchInterval: (query) => (query.state.data ? false : live),
  });

export const chat = (id: string) =>
  queryOptions({
    queryKey: ["chats", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/chats/{chat_id}", { params: { path: { chat_id: id } }, signal })),
    refetchInterval: (query) => (onItsWay(query.state.data) ? 500 : false),
  });

// A chat that has not ended, or a replay of it that has not.
function onItsWay(page: ChatPage | undefined): boolean {
  if (page === undefined) return false;
  return [page.chat, ...page.replays].some((c) => c.outcome.name === "waiting");
}
