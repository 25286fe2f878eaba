// A tenant in the middle of its day, for looking at the pages without a server. Typed by the contract, so
// that it cannot drift from it.
import type { components } from "../src/api/schema.gen";

type S = components["schemas"];

const now = Date.now();
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
const uuid = (n: number) => `0192f3a4-7c1e-7000-8000-${n.toString(16).padStart(12, "0")}`;

export const me: S["Me"] = {
  user: { id: uuid(1), name: "Dana Okafor", email: "dana@brightwater-bikes.com" },
  tenant: { id: uuid(2), name: "Brightwater Bikes" },
  role: "owner",
};

export const postgresId = uuid(10);
export const csvId = uuid(11);
export const brokenId = uuid(12);

export const connectors: S["Connector"][] = [
  {
    kind: "postgres",
    name: "PostgreSQL",
    summary: "Reads one table or view of your database, with a login that can only read.",
    imports: false,
    guide:
      "## A login that can only read\n\nRun this as the owner of the database, with a password of your own:\n\n```sql\ncreate role sidecard login password '…';\ngrant connect on database shop to sidecard;\ngrant select on public.customers to sidecard;\n```\n\n## Let Sidecard in\n\n1. Open the port for the address of **Sidecard**, nothing else.\n2. Keep `sslmode` at *verify-full* where you can.\n\nMore in [PostgreSQL's manual](https://www.postgresql.org/docs/).",
    settings_schema: {
      type: "object",
      additionalProperties: false,
      required: ["host", "database", "user", "password", "table", "email_column"],
      properties: {
        host: {
          type: "string",
          title: "Host",
          description: "Name or address of the server.",
          "x-order": 1,
          "x-group": "Server",
          "x-placeholder": "db.example.com",
          minLength: 1,
        },
        port: {
          type: "integer",
          title: "Port",
          description: "5432 unless you changed it.",
          default: 5432,
          minimum: 1,
          maximum: 65535,
          "x-order": 2,
          "x-group": "Server",
        },
        database: {
          type: "string",
          title: "Database",
          description: "Where the table is.",
          "x-order": 3,
          "x-group": "Server",
        },
        user: { type: "string", title: "User", description: "The read-only login.", "x-order": 4, "x-group": "Login" },
        password: {
          type: "string",
          title: "Password",
          description: "Sealed, and never shown again.",
          "x-order": 5,
          "x-group": "Login",
          "x-secret": true,
        },
        table: {
          type: "string",
          title: "Table or view",
          description: "With its schema.",
          "x-order": 6,
          "x-group": "What to read",
          "x-placeholder": "public.customers",
        },
        email_column: {
          type: "string",
          title: "Column with the e-mail",
          description: "A visitor is found by it.",
          "x-order": 7,
          "x-group": "What to read",
        },
        columns: {
          type: "array",
          items: { type: "string" },
          title: "Columns",
          description: "One a line. Empty means all.",
          "x-order": 8,
          "x-group": "What to read",
        },
        tls: {
          type: "string",
          enum: ["verify-full", "require"],
          default: "verify-full",
          title: "Encryption",
          description: "verify-full also checks the server's name.",
          "x-order": 9,
          "x-advanced": true,
        },
        ignore_case: {
          type: "boolean",
          default: true,
          title: "Ignore case",
          description: "Maya@ and maya@ are one visitor.",
          "x-order": 10,
          "x-advanced": true,
        },
      },
    },
  },
  {
    kind: "csv",
    name: "CSV file",
    summary: "Finds visitors in a list you upload. The rows are kept in Sidecard.",
    imports: true,
    guide: "Export a list with a header and a column for the e-mail address. Upload it on the page **CSV data**.",
    settings_schema: { type: "object", additionalProperties: false, properties: {} },
  },
];

const report: S["ImportReport"] = {
  at: ago(520_000),
  filename: "loyalty-list-2026-11.csv",
  columns: ["mail", "name", "tier", "note"],
  email_column: "mail",
  encoding: "Windows-1252",
  delimiter: ";",
  rows: 49_870,
  repeated: 12,
  rejected: 3,
  rejects: [
    { line: 6, code: "bad_email", reason: "The address has no @." },
    { line: 1204, code: "no_email", reason: "The address is empty." },
    { line: 30_411, code: "too_many_fields", reason: "The row has 5 fields, the header has 4." },
  ],
};

export const connections: S["Connection"][] = [
  {
    id: postgresId,
    kind: "postgres",
    name: "Postgres shop-replica",
    settings: {
      host: "db.brightwater-bikes.com",
      port: 5432,
      database: "shop",
      user: "sidecard",
      table: "public.customers",
      email_column: "email",
    },
    secrets_set: ["password"],
    status: "working",
    on_card: true,
    created_at: ago(900_000),
    updated_at: ago(90_000),
    last_check: {
      ok: true,
      at: ago(400),
      steps: [
        { name: "Find the server", state: "ok", detail: "db.brightwater-bikes.com is 203.0.113.20.", advice: "" },
        { name: "Encrypt", state: "ok", detail: "TLS 1.3, the certificate is the server's.", advice: "" },
        {
          name: "Sign in",
          state: "warn",
          detail: "The login may also write.",
          advice: "Take the right to write away: revoke insert, update, delete on public.customers from sidecard.",
        },
        { name: "Read the table", state: "ok", detail: "8 columns, an index on email.", advice: "" },
      ],
    },
  },
  {
    id: csvId,
    kind: "csv",
    name: "Loyalty list",
    settings: {},
    secrets_set: [],
    status: "working",
    on_card: true,
    created_at: ago(900_000),
    updated_at: ago(520_000),
    last_import: report,
  },
  {
    id: brokenId,
    kind: "postgres",
    name: "Postgres billing",
    settings: {
      host: "billing.brightwater-bikes.com",
      port: 5432,
      database: "billing",
      user: "sidecard",
      table: "public.invoices",
      email_column: "email",
    },
    secrets_set: ["password"],
    status: "failing",
    on_card: true,
    created_at: ago(90_000),
    updated_at: ago(9_000),
    last_check: {
      ok: false,
      at: ago(3_600),
      steps: [
        { name: "Find the server", state: "ok", detail: "billing.brightwater-bikes.com is 203.0.113.21.", advice: "" },
        {
          name: "Sign in",
          state: "fail",
          detail: "The server refused the password of sidecard.",
          advice: "Set the password again, here and with: alter role sidecard password '…'.",
        },
      ],
    },
  },
];

export const fields: Record<string, S["Field"][]> = {
  [postgresId]: [
    { id: "full_name", label: "Full name", kind: "text", group: "customers", sample: "Maya Lindqvist" },
    { id: "email", label: "Email", kind: "text", group: "customers", sample: "maya@lindqvist.se" },
    { id: "plan", label: "Plan", kind: "text", group: "customers", sample: "Care Plus" },
    { id: "renews_on", label: "Renews on", kind: "date", group: "customers", sample: "2027-01-14" },
    { id: "last_order", label: "Last order", kind: "text", group: "customers", sample: "#48210 · Trekker 5" },
    { id: "bought_so_far", label: "Bought so far", kind: "number", group: "customers", sample: "4310.00" },
    { id: "newsletter", label: "Newsletter", kind: "bool", group: "customers", sample: "true" },
  ],
  [csvId]: [
    { id: "mail", label: "mail", kind: "text", sample: "maya@lindqvist.se" },
    { id: "name", label: "name", kind: "text", sample: "Maya Lindqvist" },
    { id: "tier", label: "tier", kind: "text", sample: "Gold" },
    { id: "note", label: "note", kind: "text", sample: "Sponsored rider 2025" },
  ],
};

export const values: Record<string, S["LookupResult"]["fields"]> = Object.fromEntries(
  Object.entries(fields).map(([id, list]) => [
    id,
    list.map((f) => ({ id: f.id, kind: f.kind, value: f.sample ?? "" })),
  ]),
);

export const card: S["Card"] = {
  version: 7,
  published_at: ago(800_000),
  published_by: "Dana Okafor",
  lines: [
    { label: "Name", connection_id: postgresId, field: "full_name", format: "text", hide_if_empty: true },
    { label: "Plan", connection_id: postgresId, field: "plan", format: "text", hide_if_empty: true },
    { label: "Renews on", connection_id: postgresId, field: "renews_on", format: "date", hide_if_empty: true },
    { label: "Last order", connection_id: postgresId, field: "last_order", format: "text", hide_if_empty: true },
    { label: "Carrier", connection_id: postgresId, field: "carrier", format: "text", hide_if_empty: true },
    {
      label: "Bought so far",
      connection_id: postgresId,
      field: "bought_so_far",
      format: "number",
      hide_if_empty: true,
    },
    { label: "Loyalty", connection_id: csvId, field: "tier", format: "text", hide_if_empty: false, fallback: "none" },
  ],
};

export const desk: S["Desk"] = {
  callback_url: "https://in.sidecard.app/hooks/brw_7Qm2xV9kLd84TzRn",
  secret_set: true,
  previous_secret_until: new Date(now + 20 * 3600_000).toISOString(),
  email: "dana@brightwater-bikes.com",
  api_key_set: true,
  api_key_hint: "4f1c",
  unsigned: "refuse",
  handshake_at: ago(500),
  first_signed_at: ago(400),
  last_notification_at: ago(20),
  paused: false,
  goal_ms: 1000,
  deadline_seconds: 600,
  problem: {
    at: ago(300),
    code: "wrong_signature",
    message: "LiveSupporti signed with another secret.",
    fix: "Copy the secret again and save it in LiveSupporti.",
  },
};

export const rejections: S["Rejection"][] = [
  {
    id: uuid(900),
    at: ago(300),
    code: "wrong_signature",
    reason: "The signature was made with another secret. Copy the secret again into LiveSupporti.",
    bytes: 612,
    body_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    headers: { "Content-Type": "application/json; charset=utf-8", "Ms-Signature": "sha256=…" },
  },
  {
    id: uuid(901),
    at: ago(90_000),
    code: "unsigned",
    reason: "The request has no signature. Put a secret into the WebHook in LiveSupporti.",
    bytes: 598,
    headers: { "Content-Type": "application/json" },
  },
];

export const outcomes: Record<string, S["Outcome"]> = {
  waiting: {
    name: "waiting",
    title: "Being looked up",
    message: "The sources are being asked, and what they know is sent at once.",
  },
  retrying: {
    name: "waiting",
    title: "Waiting to try again",
    message: "LiveSupporti answered 503 Service Unavailable.",
  },
  shown: {
    name: "shown",
    title: "Details shown to the agent in 412 ms.",
    message: "Found in Postgres shop-replica and Loyalty list.",
  },
  shown_in_part: {
    name: "shown_in_part",
    title: "Shown in part after 903 ms.",
    message: "Loyalty list did not answer in time. 1 line missing.",
  },
  no_match: {
    name: "no_match",
    title: "No customer with this e-mail.",
    message: "Asked Postgres shop-replica and Loyalty list for s…@gmail.com. Nothing was sent.",
  },
  several_matches: {
    name: "several_matches",
    title: "More than one customer has this e-mail.",
    message: "Nothing was sent, so that no agent sees the wrong one.",
  },
  no_email: {
    name: "no_email",
    title: "The visitor gave no e-mail.",
    message: "Ask for it in the pre-chat form of LiveSupporti.",
  },
  nothing_to_show: {
    name: "nothing_to_show",
    title: "Found, but every line was empty.",
    message: "Add a line to the card.",
  },
  no_card: { name: "no_card", title: "No card is published yet.", message: "Publish one, and the next chat shows it." },
  no_credentials: {
    name: "no_credentials",
    title: "Not shown: no LiveSupporti login is stored.",
    message: "Store the sign-in e-mail and API key.",
  },
  refused: {
    name: "refused",
    title: "Not shown: LiveSupporti refused the details.",
    message:
      "The API key seems to belong to another LiveSupporti account. Put in the key of the account that has the WebHook.",
  },
  lookup_failed: {
    name: "lookup_failed",
    title: "Not shown: no source could be asked.",
    message: "Postgres billing refused the login. Set its password again.",
  },
  expired: {
    name: "expired",
    title: "Not shown: no source answered within the chat's deadline.",
    message: "Look at the load of Postgres shop-replica.",
  },
  superseded: {
    name: "superseded",
    title: "Replaced by a newer chat of the same visitor.",
    message: "The agent sees the newer one.",
  },
  not_a_chat: {
    name: "not_a_chat",
    title: "Not a chat.",
    message: "LiveSupporti announced something that has no visitor.",
  },
};

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

export const details: S["Detail"][] = [
  { name: "Name", value: "Maya Lindqvist" },
  { name: "Plan", value: "Care Plus, renews 14 Jan 2027" },
  { name: "Last order", value: "#48210 · Trekker 5 · € 2,890" },
  { name: "Order status", value: "Shipped 20 Nov with DHL" },
  { name: "Bought so far", value: "€ 4,310.00" },
  { name: "Loyalty", value: "Gold" },
];

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
    part("source", "source", "Postgres shop-replica", 12, 38, "1 record"),
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
  return {
    chat,
    notification_id: "7f0c2b1d5a9e4c3f8d6b7a1e2a91be2a",
    account_id: "b943010f-b565-4731-9f34-42c54319957f",
    agent_id: "150",
    action: "chatstarted",
    unsigned: false,
    card_version: sent ? 7 : undefined,
    timeline: timelines[shown ? "shown" : name] ?? timelines.no_match!.slice(0, 2),
    sources: chat.sources.map((s, i) => ({ ...s, start_ms: 12, ms: i === 0 ? 38 : 211 })),
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
