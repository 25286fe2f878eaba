// Answers the API from the data beside it, inside Vite's dev server (npm run dev:mock). Not part of the portal.
// Sign in as new@… for a tenant that has nothing yet; any other address is in the middle of its day.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { access } from "./access.ts";
import { ok, problem, type Answer } from "./answer.ts";
import { card } from "./card.ts";
import { connections } from "./connections.ts";
import { connectors } from "./connectors.ts";
import { desk, rejections } from "./desk.ts";
import { fields, values } from "./fields.ts";
import * as logins from "./logins.ts";
import { people } from "./people.ts";
import { previewOf } from "./preview.ts";
import * as replays from "./replays.ts";
import { brokenId, endedId, me, unknownId, uuid, type S } from "./tenant.ts";

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
  const origin = `http://${req.headers.host}`;
  return (
    (req.headers.authorization === "Bearer new" ? empty(route) : undefined) ??
    people(route, body) ??
    access(route, url, body) ??
    busy(route, url, body, origin)
  );
}

// The account of new@ has nothing yet, and that of code@ has a second factor.
function auth(route: string, body: Record<string, unknown>): Answer {
  switch (route) {
    case "POST /auth/signout":
    case "POST /auth/reset/confirm":
    case "POST /auth/email/confirm":
      return { status: 204 };
    case "POST /auth/signup":
    case "POST /auth/reset":
      return { status: 202 };
    case "POST /auth/invitation":
      return ok({
        company: "Harbour Couriers",
        email: "dana@brightwater-bikes.com",
        role: "member",
        has_account: false,
      });
  }
  if (body.token === "ended") return problem(410, "link_ended", "This link was used, or has ended. Ask for a new one.");
  if (body.password === "wrong-wrong-wrong")
    return problem(401, "wrong_login", "The e-mail address or the password is not right.");
  if (String(body.email ?? "").startsWith("code@") && body.code === undefined)
    return problem(401, "code_required", "Give the code of your authenticator app as well, or a recovery code.");
  if (route === "POST /auth/signin") fresh = String(body.email ?? "").startsWith("new@");
  return ok({
    access_token: fresh ? "new" : "full",
    token_type: "Bearer",
    expires_in: 600,
    me: me,
  } satisfies S["Session"]);
}

let fresh = false; // who the browser's cookie stands for

function empty(route: string): Answer | undefined {
  if (route === "GET /desk") {
    return ok({
      callback_url: desk.callback_url,
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

type Body = Record<string, unknown>;

function busy(route: string, url: URL, body: Body, origin: string): Answer | Promise<Answer> {
  switch (route) {
    case "GET /me":
      return ok(me);
    case "GET /desk":
      return ok(desk);
    case "PATCH /desk":
      return ok({ ...desk, ...body });
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
      return ok({ rejections: rejections });
    case "GET /connectors":
      return ok({ connectors: connectors });
    case "GET /connections":
      return ok({ connections: connections });
    case "POST /connections":
      return { status: 201, body: created(body) };
    case "POST /connections/login/finish":
      return logins.finish(body);
    case "GET /card":
      return ok(card);
    case "PUT /card":
      return ok({ ...card, version: 8, lines: body.lines });
    case "GET /card/versions":
      return ok({ versions: [card, { ...card, version: 6, lines: card.lines.slice(0, 4) }] });
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
      return one(route, body, origin);
  }
}

function one(route: string, body: Body, origin: string): Answer {
  const [, revealed] = /^POST \/chats\/([^/]+)\/reveal$/.exec(route) ?? [];
  if (revealed !== undefined) return ok({ email: "maya@lindqvist.se", visitor_id: revealed } satisfies S["Revealed"]);
  const [, chat, dry] = /^(?:GET|POST) \/chats\/([^/]+)(\/dry-run)?$/.exec(route) ?? [];
  if (chat !== undefined) {
    const answer = dry === undefined ? replays.page(chat) : replays.dryRun(chat);
    return answer ? ok(answer) : problem(404, "not_found", "There is no such chat.");
  }
  const [, method, id, verb] = /^(\w+) \/connections\/([^/]+)(?:\/(\w+))?$/.exec(route) ?? [];
  const connection = connections.find((c) => c.id === id);
  if (connection === undefined) return problem(404, "not_found", "There is nothing here.");
  if (verb === "login") return method === "POST" ? logins.begin(connection, origin) : logins.end(connection);
  if (verb === "check") return ok(checked(connection));
  if (verb === "fields") {
    return [brokenId, endedId, unknownId].includes(connection.id)
      ? problem(502, "source_failed", connection.last_check?.steps.at(-1)?.detail ?? "It is not connected yet.")
      : ok({ fields: fields[id!] ?? [] });
  }
  if (verb === "lookup") {
    const known = body.email === "maya@lindqvist.se";
    return ok({
      match: known ? "found" : "none",
      ms: 3.2,
      matches: known ? 1 : 0,
      fields: known ? (values[id!] ?? []) : [],
    } satisfies S["LookupResult"]);
  }
  if (verb === "import") return imported(connection);
  if (method === "DELETE")
    return problem(409, "connection_in_use", "The published card uses this source. Publish a card without it first.");
  return ok(method === "PATCH" ? changed(connection, body) : connection);
}

function created({ kind, name, settings }: Body): S["Connection"] {
  const at = new Date().toISOString();
  const connection: S["Connection"] = {
    id: uuid(0x20000 + connections.length),
    kind: String(kind),
    name: String(name),
    settings: settings as S["Connection"]["settings"],
    secrets_set: [],
    status: "new",
    on_card: false,
    created_at: at,
    updated_at: at,
    login: (settings as Body).auth === "oauth" ? { state: "none", account: "", scopes: [] } : undefined,
  };
  connections.push(connection);
  return connection;
}

// Settings are not kept, so that a page looks the same at the next visit.
function changed(connection: S["Connection"], body: Body): S["Connection"] {
  const { password: _, ...settings } = (body.settings ?? connection.settings) as Body;
  if (settings.pin !== undefined) pinned.add(connection.id);
  return { ...connection, name: String(body.name ?? connection.name), settings };
}

const pinned = new Set<string>(); // sources whose certificate is no longer warned of

function checked(connection: S["Connection"]): S["CheckReport"] {
  const known = connection.last_check;
  if (known !== undefined) {
    const steps = known.steps.map((s): S["CheckStep"] =>
      s.suggest !== undefined && pinned.has(connection.id)
        ? { name: s.name, state: "ok", detail: "TLS 1.3, and the certificate is the one you trust.", advice: "" }
        : s,
    );
    return { ...known, at: new Date().toISOString(), steps };
  }
  const steps: S["CheckStep"][] = [
    { name: "Sign in", state: "ok", detail: `${connection.name} took the login.`, advice: "" },
    { name: "Read contacts", state: "ok", detail: "Contacts are readable.", advice: "" },
  ];
  return { ok: true, at: new Date().toISOString(), steps };
}

function imported(connection: S["Connection"]): Answer {
  return connection.last_import
    ? ok({ ...connection.last_import, at: new Date().toISOString() })
    : problem(422, "csv.no_email_column", "No column looks like an e-mail address.", [
        { pointer: "email_column", detail: "Choose the column.", line: 1 },
      ]);
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
  if (typeof a.body === "string") {
    res.setHeader("Content-Type", "text/csv");
    res.end(a.body);
    return;
  }
  res.setHeader("Content-Type", a.status < 400 ? "application/json" : "application/problem+json");
  res.end(a.body === undefined ? undefined : JSON.stringify(a.body));
}
