// What the pages of tokens and audit log read, and who may read it.
import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { api, data, type Schemas } from "../../api/client";
import type { Role } from "../../api/may";
import { me } from "../../api/queries";
import { boundsOf, type AuditFilter } from "./audit-filter";

export type Token = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
export type Scope = Schemas["Scope"];
export type AuditEntry = Schemas["AuditEntry"];

/** useRole gives the signed-in member's role here; undefined while it is not known. */
export function useRole(): Role | undefined {
  return useQuery(me()).data?.role;
}

export const tokens = () =>
  queryOptions({
    queryKey: ["tokens"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/tokens", { signal }))).tokens,
  });

const auditKey = ["audit"];

/** The newest entries that a filter lets through, a page at a time. */
export const audit = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: [...auditKey, filter],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.GET("/api/v1/audit", {
          params: { query: { limit: 50, before: pageParam, action: filter.action, ...boundsOf(filter) } },
          signal,
        }),
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next,
  });

/** Every list of entries, whatever its filter. */
export const everyAudit = { queryKey: auditKey };
