// API tokens and the audit log of the made-up tenant. Tokens are kept while the server runs.
import { ok, problem, type Answer } from "./answer.ts";
import { ago, csvId, now, postgresId, uuid, type S } from "./tenant.ts";

const day = 24 * 3600;

let tokens: S["Token"][] = [
  {
    id: uuid(700),
    name: "CRM export, nightly",
    scopes: ["chats:read", "connections:read"],
    role: "owner",
    created_by: "Dana Okafor",
    created_at: ago(20 * day),
    expires_at: ago(-70 * day),
    last_used_at: ago(5 * 3600),
  },
  {
    id: uuid(701),
    name: "Loyalty list upload",
    scopes: ["rows:write"],
    role: "admin",
    created_by: "Sam Reyes",
    created_at: ago(85 * day),
    expires_at: ago(-5 * day - 600),
    last_used_at: ago(40),
  },
  {
    id: uuid(702),
    name: "Trial of the API",
    scopes: ["tenant:read", "team:read", "desk:read", "card:read", "audit:read"],
    role: "owner",
    created_by: "Dana Okafor",
    created_at: ago(40 * day),
    expires_at: ago(10 * day),
  },
];

type Seed = Omit<S["AuditEntry"], "number" | "at" | "actor_kind" | "actor" | "address"> &
  Partial<Pick<S["AuditEntry"], "actor_kind" | "actor">>;

const seeds: Seed[] = [
  {
    action: "connection.updated",
    subject_id: postgresId,
    subject: "Postgres shop-replica",
    before: { "settings.host": "db-1.brightwater-bikes.com", "settings.password": "set" },
    after: { "settings.host": "db-2.brightwater-bikes.com", "settings.password": "changed" },
  },
  {
    action: "connection.file_imported",
    actor_kind: "token",
    actor: "Loyalty list upload",
    subject_id: csvId,
    subject: "Loyalty list",
    after: { filename: "loyalty-2026-11.csv", rows: 51066, rejected: 3 },
  },
  {
    action: "member.role_changed",
    subject_id: uuid(3),
    subject: "Sam Reyes",
    before: { role: "member" },
    after: { role: "admin" },
  },
  {
    action: "token.created",
    subject_id: uuid(700),
    subject: "CRM export, nightly",
    after: { scopes: ["chats:read", "connections:read"], role: "owner", expires_at: ago(-70 * day) },
  },
  {
    action: "card.published",
    before: { lines: ["Name", "Plan", "Last order"] },
    after: { lines: ["Name", "Plan", "Last order", "Open tickets"] },
  },
  { action: "user.second_factor_on", subject_id: uuid(1), subject: "Dana Okafor" },
  { action: "tenant.updated", before: { second_factor_required: false }, after: { second_factor_required: true } },
  { action: "key.rewrapped", actor_kind: "operator", actor: "" },
];

const entries: S["AuditEntry"][] = Array.from({ length: 120 }, (_, i) => ({
  number: 120 - i,
  at: ago(i * 5400 + 60),
  actor_kind: "user",
  actor: "Dana Okafor",
  address: i % 7 === 0 ? "2001:db8:85a3::8a2e:370:7334" : "203.0.113.24",
  ...seeds[i % seeds.length]!,
}));

/** access answers what is about tokens and the audit log; undefined when the request is about something else. */
export function access(route: string, url: URL, body: Record<string, unknown>): Answer | undefined {
  switch (route) {
    case "GET /tokens":
      return ok({ tokens });
    case "POST /tokens":
      return made(body);
    case "GET /audit":
      return ok(page(url.searchParams));
    case "POST /audit/verify":
      return ok({ ok: true, entries: entries.length } satisfies S["AuditVerdict"]);
    case "GET /audit/export":
      return ok(["number,at,action", ...entries.map((e) => `${e.number},${e.at},${e.action}`)].join("\n"));
  }
  const [, id] = /^DELETE \/tokens\/([^/]+)$/.exec(route) ?? [];
  if (id === undefined) return undefined;
  if (!tokens.some((t) => t.id === id)) return problem(404, "not_found", "There is no such token.");
  tokens = tokens.filter((t) => t.id !== id);
  return { status: 204 };
}

function made({ name, scopes, expires_in_days: days = 90 }: Record<string, unknown>): Answer {
  if (name === "taken") {
    return problem(422, "invalid", "The token was not made.", [{ pointer: "/name", detail: "Take another name." }]);
  }
  const details: S["Token"] = {
    id: uuid(710 + tokens.length),
    name: String(name),
    scopes: scopes as S["Scope"][],
    role: "owner",
    created_by: "Dana Okafor",
    created_at: new Date().toISOString(),
    expires_at: new Date(now + Number(days) * day * 1000).toISOString(),
  };
  tokens = [details, ...tokens];
  const text = `sct_${"made-up.".repeat(24)}signature`;
  return { status: 201, body: { token: text, details } satisfies S["NewToken"] };
}

function page(query: URLSearchParams): S["AuditList"] {
  const { action, before, from, to, limit = "50" } = Object.fromEntries(query);
  const fits = entries.filter(
    (e) =>
      (action === undefined || e.action === action) &&
      (before === undefined || e.number < Number(before)) &&
      (from === undefined || e.at >= from) &&
      (to === undefined || e.at < to),
  );
  const shown = fits.slice(0, Number(limit));
  return { entries: shown, next: fits.length > shown.length ? shown.at(-1)?.number : undefined };
}
