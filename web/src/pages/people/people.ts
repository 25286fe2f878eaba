// What the pages of account, team and tenant read, and how a change of one reaches the others.
import { queryOptions, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { api, data, type Schemas } from "../../api/client";
import { me } from "../../api/queries";

export { me };
export type Me = Schemas["Me"];
export type Member = Schemas["Member"];
export type Invitation = Schemas["Invitation"];
export type Tenant = Schemas["TenantPage"];
export type SignedInAt = Schemas["SignedInAt"];

/** Where a second factor is set up. */
export const accountPath: string = "/settings/account";

export const members = () =>
  queryOptions({
    queryKey: ["members"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/members", { signal }))).members,
  });

export const invitations = () =>
  queryOptions({
    queryKey: ["invitations"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/invitations", { signal }))).invitations,
  });

export const tenant = () =>
  queryOptions({
    queryKey: ["tenant"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/tenant", { signal })),
  });

export const sessions = () =>
  queryOptions({
    queryKey: ["sessions"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/me/sessions", { signal }))).sessions,
  });

export const useMe = () => useQuery(me());

/** useStale gives what to call once the server has changed: `stale(members, tenant)` reads those again. */
export function useStale() {
  const queries = useQueryClient();
  return (...read: readonly (() => { queryKey: readonly unknown[] })[]) => again(queries, read);
}

async function again(queries: QueryClient, read: readonly (() => { queryKey: readonly unknown[] })[]): Promise<void> {
  void queries.invalidateQueries({ queryKey: ["audit"] }); // every change is in the audit log
  await Promise.all(read.map((r) => queries.invalidateQueries({ queryKey: r().queryKey })));
}

/** called is how others know a person. */
export function called(person: { name: string; email: string }): string {
  return person.name === "" ? person.email : person.name;
}
