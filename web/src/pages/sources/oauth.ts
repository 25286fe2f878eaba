// Connecting by OAuth: which kinds offer it, and the way to the vendor's page and back.
import { api, data } from "../../api/client";
import type { Connection, Connector } from "../../api/queries";
import { inputsOf, type Input } from "../../form/schema";

const startedKey = "sidecard.login"; // in this tab: the connection whose login is under way

/** oauthSettings are the settings of a new connection that uses the vendor's login. */
export function oauthSettings(connector: Connector): Record<string, unknown> {
  return connector.oauth ? { [connector.oauth.setting]: connector.oauth.value } : {};
}

/**
 * inputsFor gives the inputs of a connection's form. The vendor's login is not chosen in the form of a new
 * connection, which has a button for it, nor where the operator has not set it up.
 */
export function inputsFor(connector: Connector, connection?: Connection): Input[] {
  const inputs = inputsOf(connector.settings_schema);
  const oauth = connector.oauth;
  if (!oauth || (connection && (oauth.available || connection.login))) return inputs;
  return inputs.map((input) => {
    if (input.name !== oauth.setting) return input;
    const choices = input.choices.filter((c) => c.value !== oauth.value);
    return { ...input, choices, fallback: choices[0]?.value };
  });
}

/** otherWays names how a kind can be connected without the vendor's login. */
export function otherWays(connector: Connector): string[] {
  const input = inputsFor(connector).find((i) => i.name === connector.oauth?.setting);
  return input?.choices.map((c) => c.label) ?? [];
}

/** beginLogin asks where to go and leaves for the vendor's page, in the same tab. */
export async function beginLogin(connectionId: string): Promise<void> {
  const { authorize_url: url } = await data(
    api.POST("/api/v1/connections/{connection_id}/login", { params: { path: { connection_id: connectionId } } }),
  );
  // Only to a page: whatever the server says, no script is run from an address.
  if (!/^https?:\/\//i.test(url)) throw new TypeError("the login page has no web address");
  sessionStorage.setItem(startedKey, connectionId);
  window.location.assign(url);
}

/** The connection whose login was begun in this tab, if any. */
export function startedLogin(): string | null {
  return sessionStorage.getItem(startedKey);
}

export function forgetLogin(): void {
  sessionStorage.removeItem(startedKey);
}
