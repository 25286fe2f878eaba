// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { expect, it, vi } from "vitest";
import { api } from "../../api/client";
import { Deletion } from "./Deletion";
import { Invite } from "./Invite";
import { Members } from "./Members";
import { members, type Me, type Member } from "./people";
import type { Role } from "../../api/may";
import { SecondFactor } from "./SecondFactor";
import { Sessions } from "./Sessions";

Element.prototype.scrollIntoView = () => undefined; // jsdom has none, and an opened list asks for it

const person = (user_id: string, role: Role): Member => ({
  user_id,
  name: user_id,
  email: `${user_id}@example.com`,
  role,
  second_factor: false,
  since: "2026-01-01T00:00:00Z",
});
const me = (role: Role, second_factor = false): Me => ({
  user: { id: "ann", name: "ann", email: "ann@example.com", second_factor },
  tenant: { id: "t", name: "Brightwater" },
  role,
  tenants: [],
});
const refusal = (pointer: string, detail: string) => ({
  type: "about:blank",
  title: "Problem",
  status: 400,
  code: "invalid_request",
  detail: "Something in the request is wrong.",
  errors: [{ pointer, detail }],
});

interface Asked {
  method: string;
  path: string;
  body?: unknown;
  params?: unknown;
}

/** setup renders over an API that gives these answers, by "METHOD path", one after the other; the last one stays. */
function setup(ui: ReactNode, answers: Record<string, unknown[]>) {
  const asked: Asked[] = [];
  for (const method of ["GET", "POST", "PATCH", "DELETE"] as const) {
    vi.spyOn(api, method).mockImplementation((async (path: string, init?: { body?: unknown; params?: unknown }) => {
      asked.push({ method, path, body: init?.body, params: init?.params });
      const queue = answers[`${method} ${path}`] ?? [];
      const answer = queue.length > 1 ? queue.shift() : queue[0];
      return typeof answer === "object" && answer !== null && "status" in answer
        ? { error: answer, response: new Response(null, { status: answer.status as number }) }
        : { data: answer, response: new Response() };
    }) as never);
  }
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>{ui}</QueryClientProvider>
    </MantineProvider>,
  );
  const sent = (method: string) => asked.filter((a) => a.method === method);
  return { sent, queries, user: userEvent.setup() };
}

const button = (name: RegExp | string) => screen.findByRole("button", { name });

it("puts a second factor into use by the right code only, and keeps its recovery codes to be seen", async () => {
  const path = "/api/v1/me/second-factor";
  const { sent, user } = setup(<SecondFactor me={me("viewer")} />, {
    [`POST ${path}`]: [refusal("/password", "This is not your password."), { secret: "ABCD", uri: "otpauth://totp/x" }],
    [`POST ${path}/confirm`]: [refusal("/code", "The code is not right."), { codes: ["aaaa-bbbb", "cccc-dddd"] }],
  });
  await user.click(await button("Set it up"));
  await user.type(screen.getByLabelText(/^Your password/), "hunter2");
  await user.click(await button("Go on"));
  await screen.findByText("This is not your password.");
  await user.click(await button("Go on"));
  await screen.findByRole("img", { name: /QR code/ });
  expect(screen.getByText("ABCD")).toBeTruthy();
  await user.type(screen.getByLabelText(/^Code/), "123 456");
  await user.click(await button("Use it from now on"));
  await screen.findByText("The code is not right.");
  await user.click(await button("Use it from now on"));
  const codes = within(await screen.findByRole("list", { name: "Recovery codes" }));
  expect(codes.getAllByRole("listitem").map((li) => li.textContent)).toEqual(["aaaa-bbbb", "cccc-dddd"]);
  expect(sent("POST").at(-1)!.body).toEqual({ code: "123456" });
  await user.click(await button("I have kept them"));
  expect(screen.queryByText("aaaa-bbbb")).toBeNull();
});

it("offers a member no role to change and nobody to remove", async () => {
  setup(<Members me={me("member")} list={[person("ann", "member"), person("ben", "owner")]} />, {});
  await screen.findByRole("table");
  expect(screen.queryAllByRole("button", { name: /Remove/ })).toEqual([]);
  expect(screen.queryAllByLabelText(/^Role of/)).toEqual([]);
});

it("offers an admin everybody but owners", async () => {
  const list = [person("ann", "admin"), person("ben", "owner"), person("cy", "viewer")];
  setup(<Members me={me("admin")} list={list} />, {});
  await screen.findByRole("table");
  expect(screen.getAllByRole("button", { name: /^Remove/ }).map((b) => b.getAttribute("aria-label"))).toEqual([
    "Remove cy",
  ]);
  expect(screen.getByText("Only an owner changes an owner’s role.")).toBeTruthy();
});

it("asks before somebody lowers their own role, and says when the API refuses", async () => {
  const list = [person("ann", "owner"), person("ben", "owner")];
  const { sent, user } = setup(<Members me={me("owner")} list={list} />, {
    "PATCH /api/v1/members/{user_id}": [
      { ...refusal("", ""), status: 409, code: "conflict", detail: "This is its last one.", errors: [] },
    ],
  });
  await user.click(screen.getByRole("combobox", { name: "Role of ann" }));
  await user.click(await screen.findByRole("option", { name: /^Viewer/ }));
  await screen.findByText("Become a viewer?");
  expect(sent("PATCH")).toEqual([]);
  await user.click(await button("Take the lower role"));
  await screen.findByText("This is its last one.");
  expect(sent("PATCH").map((a) => a.body)).toEqual([{ role: "viewer" }]);
});

it("removes somebody after asking once, and reads the members again", async () => {
  const list = [person("ann", "owner"), person("ben", "viewer")];
  const { sent, queries, user } = setup(<Members me={me("owner")} list={list} />, {});
  const again = vi.spyOn(queries, "invalidateQueries");
  await user.click(await button("Remove ben"));
  expect(sent("DELETE")).toEqual([]);
  await user.click(await button("Remove"));
  await waitFor(() => expect(sent("DELETE")).toHaveLength(1));
  expect(sent("DELETE")[0]!.params).toEqual({ path: { user_id: "ben" } });
  await waitFor(() => expect(again).toHaveBeenCalledWith({ queryKey: members().queryKey }));
});

it("shows what is wrong with an invitation beside its field", async () => {
  const { sent, user } = setup(<Invite opened close={() => undefined} own="admin" />, {
    "POST /api/v1/invitations": [
      refusal("/email", "This is no e-mail address."),
      { id: "i", email: "cy@example.com", role: "member" },
    ],
  });
  await user.type(await screen.findByLabelText(/^E-mail address/), "cy@example.com");
  await user.click(await button("Send the invitation"));
  await screen.findByText("This is no e-mail address.");
  expect(screen.queryByText("Not invited")).toBeNull();
  await user.click(await button("Send the invitation"));
  await screen.findByText("A mail is on its way");
  expect(sent("POST").at(-1)!.body).toEqual({ email: "cy@example.com", role: "member" });
});

it("ends other sessions, and never offers to end this one", async () => {
  const session = (id: string, current: boolean) => ({
    id,
    client: `curl/${id}`,
    address: "192.0.2.1",
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: "2026-01-02T00:00:00Z",
    current,
  });
  const { sent, user } = setup(<Sessions />, {
    "GET /api/v1/me/sessions": [
      { sessions: [session("1", false), session("2", true)] },
      { sessions: [session("2", true)] },
    ],
  });
  await user.click(await button(/^End the session of curl\/1/));
  await waitFor(() => expect(screen.queryByText("curl/1")).toBeNull());
  expect(sent("DELETE")[0]!.params).toEqual({ path: { session_id: "1" } });
  expect(screen.queryAllByRole("button", { name: /^End/ })).toEqual([]);
});

it("lets only an owner delete the company, with the password, or call that off", async () => {
  const company = {
    id: "t",
    name: "Brightwater",
    second_factor_required: false,
    plan: "free",
    retention_days: 30,
    created_at: "2026-01-01T00:00:00Z",
  };
  const planned = { ...company, delete_at: "2026-12-01T00:00:00Z" };
  const { sent, user } = setup(<Deletion company={company} me={me("owner")} />, {
    "POST /api/v1/tenant/deletion": [refusal("/password", "This is not your password."), planned],
  });
  await user.click(await button("Delete Brightwater"));
  await user.type(await screen.findByLabelText(/^Your password/), "hunter2");
  await user.click(await button("Delete in seven days"));
  await screen.findByText("This is not your password.");
  await user.click(await button("Delete in seven days"));
  await waitFor(() => expect(sent("POST")).toHaveLength(2));
  expect(sent("POST")[1]!.body).toEqual({ password: "hunter2" });

  setup(<Deletion company={planned} me={me("admin")} />, {});
  await screen.findByText("An owner can call it off.");
  expect(screen.queryByRole("button", { name: "Call the deletion off" })).toBeNull();
});
