// The account of the signed-in, their team and company. What is changed stays changed until the server stops.
import { erase } from "./chats.ts";
import { ok, problem, type Answer } from "./answer.ts";
import { ago, me, now, uuid, type S } from "./tenant.ts";

type Body = Record<string, unknown>;

const day = 24 * 3600; // seconds
const wrong = "wrong-wrong-wrong"; // the password that is refused, as at signing in
const wrongCode = "000000";

const gone: Answer = { status: 204 };
const nothing = problem(404, "not_found", "There is nothing here.");
const invalid = (pointer: string, detail: string) =>
  problem(400, "invalid_request", "Something in the request is wrong.", [{ pointer, detail }]);

let members: S["Member"][] = [
  {
    user_id: me.user.id,
    name: "Dana Okafor",
    email: me.user.email,
    role: "owner",
    second_factor: false,
    since: ago(80 * day),
  },
  {
    user_id: uuid(31),
    name: "Jonas Weber",
    email: "jonas@brightwater-bikes.com",
    role: "admin",
    second_factor: true,
    since: ago(61 * day),
  },
  {
    user_id: uuid(32),
    name: "Amélie Roux",
    email: "amelie@brightwater-bikes.com",
    role: "member",
    second_factor: true,
    since: ago(40 * day),
  },
  {
    user_id: uuid(33),
    name: "",
    email: "front.desk@brightwater-bikes.com",
    role: "viewer",
    second_factor: false,
    since: ago(3 * day),
  },
];

let invitations: S["Invitation"][] = [
  {
    id: uuid(41),
    email: "piotr@brightwater-bikes.com",
    role: "member",
    invited_by: "Dana Okafor",
    created_at: ago(2 * day),
    expires_at: ago(-5 * day),
  },
];

let sessions: S["SignedInAt"][] = [
  {
    id: uuid(51),
    client: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    address: "203.0.113.24",
    created_at: ago(2 * 3600),
    last_used_at: ago(120),
    current: true,
  },
  {
    id: uuid(52),
    client:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    address: "198.51.100.7",
    created_at: ago(9 * day),
    last_used_at: ago(8 * 3600),
    current: false,
  },
  {
    id: uuid(53),
    client: "curl/8.17.0",
    address: "2001:db8:0:1::",
    created_at: ago(20 * day),
    last_used_at: ago(19 * day),
    current: false,
  },
];

const company: S["TenantPage"] = {
  id: me.tenant.id,
  name: me.tenant.name,
  second_factor_required: false,
  plan: "team",
  retention_days: 30,
  created_at: ago(80 * day),
};

const chatsOfDays = [1830, 2110, 2204, 2390, 1120, 890, 2450, 5260, 3010, 2870, 2660, 1240, 940, 4120];

function usage(): S["Usage"] {
  const today = Math.floor(now / (day * 1000)) * day * 1000;
  return {
    plan: company.plan,
    resets_at: new Date(today + day * 1000).toISOString(),
    chats_today: { used: chatsOfDays[chatsOfDays.length - 1]!, limit: 5000 },
    connections: { used: 10, limit: 10 },
    csv_rows: { used: 51_066, limit: 200_000 },
    members: { used: members.length, limit: 25 },
    api_tokens: { used: 2, limit: 50 },
    days: chatsOfDays.map((chats, i) => ({
      day: new Date(today - (chatsOfDays.length - 1 - i) * day * 1000).toISOString().slice(0, 10),
      chats,
      over_quota: Math.max(0, chats - 5000),
    })),
  };
}

/** people answers what is asked of account, team and company; undefined for everything else. */
export function people(route: string, body: Body): Answer | undefined {
  if (body.password === wrong) return invalid("/password", "This is not your password.");
  return account(route, body) ?? team(route, body) ?? tenant(route, body);
}

function account(route: string, body: Body): Answer | undefined {
  const [, session] = /^DELETE \/me\/sessions\/(.+)$/.exec(route) ?? [];
  if (session !== undefined) {
    sessions = sessions.filter((s) => s.id !== session);
    return gone;
  }
  switch (route) {
    case "GET /me":
      return ok(me);
    case "PATCH /me":
      me.user.name = String(body.name);
      members[0]!.name = me.user.name;
      return ok(me);
    case "POST /me/password":
      if (body.current === wrong) return invalid("/current", "This is not your password.");
      if (String(body.new).length < 12) return invalid("/new", "Use at least 12 characters.");
      sessions = sessions.filter((s) => s.current);
      return gone;
    case "POST /me/email":
      return body.email === me.user.email ? invalid("/email", "This is your address already.") : { status: 202 };
    case "POST /me/second-factor":
      return ok({
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        uri: `otpauth://totp/Sidecard:${me.user.email}?algorithm=SHA1&digits=6&issuer=Sidecard&period=30&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP`,
      } satisfies S["SecondFactor"]);
    case "POST /me/second-factor/confirm":
      if (body.code === wrongCode)
        return invalid("/code", "The code is not right. Take the one that the app shows now.");
      factor(true);
      return ok({ codes: recovery } satisfies S["RecoveryCodes"]);
    case "POST /me/second-factor/remove":
      if (company.second_factor_required)
        return problem(409, "conflict", `${company.name} requires a second factor of its members.`);
      if (body.code === wrongCode)
        return invalid("/code", "The code is not right. Take the one that the app shows now.");
      factor(false);
      return gone;
    case "GET /me/sessions":
      return ok({ sessions } satisfies S["SessionList"]);
    case "DELETE /me/sessions":
      sessions = sessions.filter((s) => s.current);
      return gone;
    case "DELETE /me/membership":
      return alone() ? lastOwner : gone;
    default:
      return undefined;
  }
}

const recovery = [
  "k3vd-7qxm-h2ra-wz5n",
  "p6ty-c4ue-2jsb-x7lg",
  "m5zr-a3wq-vn6d-e2kf",
  "h7cj-y2xs-q4tb-u6op",
  "r2ld-i5gz-7wme-n3va",
  "d4qk-s6pf-b3yh-j7tc",
  "w3no-l7ux-5raz-g2ie",
  "z6bs-e4mv-k7cd-q5wy",
  "t2hf-x3jp-o6ln-a4ru",
  "g5ye-v7ki-d2sq-m6zb",
];

function factor(on: boolean) {
  me.user.second_factor = on;
  members[0]!.second_factor = on;
}

const lastOwner = problem(
  409,
  "conflict",
  "A tenant needs an owner, and this is its last one. Make somebody else an owner first.",
);
const alone = () => members.filter((m) => m.role === "owner").length === 1;

function team(route: string, body: Body): Answer | undefined {
  if (route === "GET /members") return ok({ members } satisfies S["MemberList"]);
  if (route === "GET /invitations") return ok({ invitations } satisfies S["InvitationList"]);
  if (route === "POST /invitations") return invited(String(body.email), body.role as S["Role"]);
  const [, method, kind, id] = /^(PATCH|DELETE) \/(members|invitations)\/(.+)$/.exec(route) ?? [];
  if (kind === "invitations") {
    invitations = invitations.filter((i) => i.id !== id);
    return gone;
  }
  if (kind !== "members") return undefined;
  const member = members.find((m) => m.user_id === id);
  if (member === undefined) return nothing;
  if (member.role === "owner" && body.role !== "owner" && alone()) return lastOwner;
  if (method === "DELETE") {
    members = members.filter((m) => m !== member);
    return gone;
  }
  member.role = body.role as S["Role"];
  if (id === me.user.id) me.role = member.role;
  return ok(member);
}

function invited(email: string, role: S["Role"]): Answer {
  if (members.some((m) => m.email === email)) return problem(409, "conflict", "They belong to the tenant already.");
  const invitation: S["Invitation"] = {
    id: uuid(0x30000 + invitations.length),
    email,
    role,
    invited_by: me.user.name,
    created_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 7 * day * 1000).toISOString(),
  };
  invitations = [invitation, ...invitations.filter((i) => i.email !== email)];
  return { status: 201, body: invitation };
}

function tenant(route: string, body: Body): Answer | undefined {
  switch (route) {
    case "GET /usage":
      return ok(usage());
    case "GET /tenant":
      return ok(company);
    case "PATCH /tenant":
      if (body.second_factor_required === true && !me.user.second_factor)
        return invalid("/second_factor_required", "Set up a second factor for yourself first, under your account.");
      Object.assign(company, body);
      me.tenant.name = company.name;
      return ok(company);
    case "POST /tenant/export":
      return ok("PK");
    case "POST /privacy/erasures":
      return ok(erase(String(body.email ?? ""), String(body.visitor_id ?? "")));
    case "POST /tenant/deletion":
      company.delete_at = new Date(now + 7 * day * 1000).toISOString();
      return ok(company);
    case "DELETE /tenant/deletion":
      delete company.delete_at;
      return ok(company);
    default:
      return undefined;
  }
}
