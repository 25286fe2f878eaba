// What an API token may do, in words.
import type { Scope } from "./access";

/** Every scope with its meaning. */
export const meanings: Record<Scope, string> = {
  "tenant:read": "See your company's settings and limits",
  "tenant:write": "Change your company's name and rules",
  "team:read": "See members and invitations",
  "team:write": "Invite people, change roles and remove members",
  "desk:read": "See how the link to LiveSupporti is doing",
  "desk:write": "Change the LiveSupporti login, secret and rules",
  "connections:read": "See your sources and their fields",
  "connections:write": "Connect, change, check and remove sources",
  "rows:write": "Upload a CSV list and replace its rows",
  "card:read": "See the card and its versions",
  "card:write": "Publish a new card",
  "chats:read": "See chats, their timelines and what was sent",
  "chats:replay": "Replay chats, so that agents get details again",
  "visitors:read": "Ask your sources about any e-mail address, and see those of chats",
  "visitors:erase": "Erase what is kept of a visitor",
  "audit:read": "Read, verify and export the audit log",
};

/** The scopes as a form offers them. */
export const groups: { title: string; scopes: readonly Scope[] }[] = [
  { title: "Chats", scopes: ["chats:read", "chats:replay", "visitors:read", "visitors:erase"] },
  { title: "Sources", scopes: ["connections:read", "connections:write", "rows:write"] },
  { title: "Card", scopes: ["card:read", "card:write"] },
  { title: "LiveSupporti", scopes: ["desk:read", "desk:write"] },
  { title: "Company and team", scopes: ["tenant:read", "tenant:write", "team:read", "team:write"] },
  { title: "Audit log", scopes: ["audit:read"] },
];

/** inOrder sorts scopes as the form has them. What is not known here comes last. */
export function inOrder(scopes: readonly Scope[]): Scope[] {
  const known = groups.flatMap((g) => g.scopes);
  return [...known.filter((s) => scopes.includes(s)), ...scopes.filter((s) => !known.includes(s))];
}

// One request for each scope that changes nothing, where the scope has one.
const harmless: Partial<Record<Scope, string>> = {
  "chats:read": "/api/v1/chats",
  "connections:read": "/api/v1/connections",
  "card:read": "/api/v1/card",
  "desk:read": "/api/v1/desk",
  "tenant:read": "/api/v1/tenant",
  "team:read": "/api/v1/members",
  "audit:read": "/api/v1/audit",
};

/**
 * curlLine is a request that a token with these scopes may make, with the token in the shell's SIDECARD_TOKEN, where
 * no history keeps it. Undefined when the scopes allow only what changes something.
 */
export function curlLine(origin: string, scopes: readonly Scope[]): string | undefined {
  const header = '-H "Authorization: Bearer $SIDECARD_TOKEN"';
  const readable = inOrder(scopes).find((s) => harmless[s] !== undefined);
  if (readable !== undefined) return `curl ${header} ${origin}${harmless[readable]}`;
  if (!scopes.includes("visitors:read")) return undefined;
  const body = `-H "Content-Type: application/json" -d '{"email":"customer@example.com"}'`;
  return `curl ${header} ${body} ${origin}/api/v1/card/preview`;
}
