// Answers the API from mock/data.ts inside Vite's dev server (npm run dev:mock). Not part of the portal.
// Sign in as new@… for a tenant that has nothing yet; any other address is in the middle of its day.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import type { components } from "../src/api/schema.gen";
import * as full from "./data.ts";
import * as replays from "./replays.ts";

type S = components["schemas"];
type Answer = { status: number; body?: unknown };

const ok = (body: unknown): Answer => ({ status: 200, body });
const problem = (status: number, code: string, detail: string, errors?: S["FieldProblem"][]): Answer => ({
  status,
  body: {
    type: "about:blank",
    title: "Problem",
    status,
    code,
    detail,
    errors,
    request_id: status >= 500 ? "req_81fC" : undefined,
  } satisfies S["Problem"],
});

export function mockApi(): Plugin {
  return {
    name: "mock-api",
    configureServer(server) {
      server.middlewares.use((req, res, next) => {
        if (!req.url?.startsWith("/api/v1/")) return next();
        void answer(req).then((a) => send(res, a));
      });
    },
  };
}

async function answer(req: IncomingMessage): Promise<Answer> {
  const url = new URL(req.url ?? "/", "http://mock");
  const body = await read(req);
  const route = `${req.method} ${url.pathname.replace("/api/v1", "")}`;
  if (route.startsWith("POST /auth/")) return auth(route, body);
  const fresh = req.headers.authorization === "Bearer new";
  return (fresh ? empty(route) : undefined) ?? busy(route, url, body);
}

function auth(route: string, body: Record<string, unknown>): Answer {
  if (route.endsWith("signout")) return { status: 204 };
  if (body.password === "wrong-wrong-wrong")
    return problem(401, "not_signed_in", "E-mail and password do not belong together.");
  if (body.email === "taken@example.com") {
    return problem(409, "email_taken", "This address cannot be used.", [
      { pointer: "/email", detail: "Sign in instead, or take another address." },
    ]);
  }
  const fresh = String(body.email ?? "").startsWith("new@") || body.refresh_token === "new";
  const token = fresh ? "new" : "full";
  return ok({
    access_token: token,
    token_type: "Bearer",
    expires_in: 600,
    refresh_token: token,
    me: full.me,
  } satisfies S["Session"]);
}

function empty(route: string): Answer | undefined {
  if (route === "GET /desk") {
    return ok({
      callback_url: full.desk.callback_url,
      secret_set: false,
      email: "",
      api_key_set: false,
      unsigned: "refuse",
      paused: false,
      goal_ms: 1000,
      deadline_seconds: 600,
    } satisfies S["Desk"]);
  }
  if (route === "GET /desk/rejections") return ok({ rejections: [] });
  if (route === "GET /connections") return ok({ connections: [] });
  if (route === "GET /card") return ok({ version: 0, lines: [] });
  if (route === "GET /card/versions") return ok({ versions: [] });
  if (route === "GET /chats") return ok({ chats: [] });
  return undefined;
}

function busy(route: string, url: URL, body: Record<string, unknown>): Answer {
  switch (route) {
    case "GET /me":
      return ok(full.me);
    case "GET /desk":
      return ok(full.desk);
    case "PATCH /desk":
      return ok({ ...full.desk, ...body });
    case "POST /desk/secret":
      return ok({
        secret: String(body.secret ?? "q8Zr-4tVnB2mX7LwKd0cYh5sJp9GfE3uAa6Ti1oRbNxMvPzQ"),
      } satisfies S["NewSecret"]);
    case "POST /desk/test":
      return ok({
        ok: true,
        status: 200,
        agents: 4,
        message: "Signed in as dana@brightwater-bikes.com, 4 agents found.",
        ms: 121,
      } satisfies S["DeskTest"]);
    case "GET /desk/rejections":
      return ok({ rejections: full.rejections });
    case "GET /connectors":
      return ok({ connectors: full.connectors });
    case "GET /connections":
      return ok({ connections: full.connections });
    case "POST /connections":
      if (body.kind === "postgres") {
        return problem(422, "invalid_request", "One setting needs another look.", [
          { pointer: "/settings/host", detail: "Write the name alone, without https://." },
        ]);
      }
      return { status: 201, body: full.connections[1] };
    case "GET /card":
      return ok(full.card);
    case "PUT /card":
      return ok({ ...full.card, version: 8, lines: body.lines });
    case "GET /card/versions":
      return ok({ versions: [full.card, { ...full.card, version: 6, lines: full.card.lines.slice(0, 4) }] });
    case "POST /card/preview":
      return ok(previewOf(body.lines as S["CardLine"][], String(body.email)));
    case "GET /chats": {
      const { outcome, before, from, to } = Object.fromEntries(url.searchParams);
      const fits = (c: S["Chat"]) =>
        (outcome === undefined || c.outcome.name === outcome) &&
        (before === undefined || c.id < before) &&
        (from === undefined || Date.parse(c.received_at) >= Date.parse(from)) &&
        (to === undefined || Date.parse(c.received_at) < Date.parse(to));
      return ok({
        chats: replays
          .allChats()
          .filter(fits)
          .slice(0, Number(url.searchParams.get("limit") ?? 50)),
      });
    }
    case "POST /replays/count":
      return ok(replays.counted(body));
    case "POST /replays": {
      const result = replays.started(body);
      return typeof result === "string" ? problem(409, "conflict", result) : ok(result);
    }
    default:
      return one(route, body);
  }
}

function one(route: string, body: Record<string, unknown>): Answer {
  const [, chat, dry] = /^(?:GET|POST) \/chats\/([^/]+)(\/dry-run)?$/.exec(route) ?? [];
  if (chat !== undefined) {
    const answer = dry === undefined ? replays.page(chat) : replays.dryRun(chat);
    return answer ? ok(answer) : problem(404, "not_found", "There is no such chat.");
  }
  const [, method, id, verb] = /^(\w+) \/connections\/([^/]+)(?:\/(\w+))?$/.exec(route) ?? [];
  const connection = full.connections.find((c) => c.id === id);
  if (connection === undefined) return problem(404, "not_found", "There is nothing here.");
  if (verb === "check")
    return ok(
      connection.last_check ?? {
        ok: true,
        at: new Date().toISOString(),
        steps: [{ name: "Read the rows", state: "ok", detail: "49,870 rows.", advice: "" }],
      },
    );
  if (verb === "fields") {
    return id === full.brokenId
      ? problem(502, "source_failed", "The server refused the password of sidecard.")
      : ok({ fields: full.fields[id!] ?? [] });
  }
  if (verb === "lookup") {
    const known = body.email === "maya@lindqvist.se";
    return ok({
      match: known ? "found" : "none",
      ms: 3.2,
      matches: known ? 1 : 0,
      fields: known ? (full.values[id!] ?? []) : [],
    } satisfies S["LookupResult"]);
  }
  if (verb === "import") return imported(connection);
  if (method === "DELETE")
    return problem(409, "connection_in_use", "The published card uses this source. Publish a card without it first.");
  return ok(method === "PATCH" ? { ...connection, ...body } : connection);
}

function imported(connection: S["Connection"]): Answer {
  return connection.last_import
    ? ok({ ...connection.last_import, at: new Date().toISOString() })
    : problem(422, "csv.no_email_column", "No column looks like an e-mail address.", [
        { pointer: "email_column", detail: "Choose the column.", line: 1 },
      ]);
}

function previewOf(lines: S["CardLine"][], email: string): S["Preview"] {
  const known = email === "maya@lindqvist.se";
  const valueOf = (l: S["CardLine"]): string =>
    full.values[l.connection_id]?.find((v) => v.id === l.field)?.value ?? l.fallback ?? "";
  return {
    outcome: known
      ? {
          name: "shown",
          title: "This is what the agent would see.",
          message: "Found in Postgres shop-replica and Loyalty list.",
        }
      : {
          name: "no_match",
          title: "No customer with this e-mail.",
          message: "Asked Postgres shop-replica and Loyalty list. Nothing would be sent.",
        },
    card_version: 0,
    details: known ? lines.filter((l) => valueOf(l) !== "").map((l) => ({ name: l.label, value: valueOf(l) })) : [],
    left_out: known
      ? lines.filter((l) => valueOf(l) === "").map((l) => ({ label: l.label, why: "empty" as const }))
      : [],
    sources: [
      {
        connection_id: full.postgresId,
        name: "Postgres shop-replica",
        kind: "postgres",
        match: known ? "found" : "none",
        start_ms: 1,
        ms: 38,
      },
      {
        connection_id: full.csvId,
        name: "Loyalty list",
        kind: "csv",
        match: known ? "found" : "none",
        start_ms: 1,
        ms: 3.1,
      },
    ],
    ms: 41,
  };
}

async function read(req: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function send(res: ServerResponse, a: Answer) {
  res.statusCode = a.status;
  res.setHeader("Content-Type", a.status < 400 ? "application/json" : "application/problem+json");
  res.end(a.body === undefined ? undefined : JSON.stringify(a.body));
}
