// Logins at a vendor on made-up data: leaving for its page leads straight back, with a code that is good. A state
// of "late" has expired, "slow" is never answered, and access_denied is refused like the real one.
import { connections } from "./connections.ts";
import { problem, ok, type Answer } from "./answer.ts";
import type { S } from "./tenant.ts";

export function begin(connection: S["Connection"], origin: string): Answer {
  if (!connection.login) return problem(409, "conflict", "This source does not use a login.");
  return ok({ authorize_url: `${origin}/connect/callback?code=good&state=${connection.id}` } satisfies S["LoginBegun"]);
}

export function finish({ state, error }: Record<string, unknown>): Answer | Promise<Answer> {
  if (state === "slow") return new Promise(() => undefined);
  if (error === "access_denied")
    return problem(409, "login_denied", "HubSpot was not allowed to share the account. Try again and press Allow.");
  const connection = connections.find((c) => c.id === state);
  if (connection === undefined)
    return problem(409, "login_expired", "This login has expired, or was begun by somebody else. Begin it again.");
  connection.login = {
    state: "connected",
    account: "brightwater-bikes.com",
    connected_at: new Date().toISOString(),
    scopes: ["oauth", "crm.objects.contacts.read", "crm.schemas.contacts.read"],
  };
  connection.status = "working";
  connection.last_check = undefined;
  return ok(connection);
}

export function end(connection: S["Connection"]): Answer {
  connection.login = { state: "none", account: "", scopes: [] };
  connection.status = "new";
  connection.last_check = undefined;
  return ok(connection);
}
