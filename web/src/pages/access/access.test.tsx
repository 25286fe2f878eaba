// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent, { PointerEventsCheckLevel, type UserEvent } from "@testing-library/user-event";
import type { ReactNode } from "react";
import { expect, it, vi } from "vitest";
import { api } from "../../api/client";
import type { Role } from "../../api/may";
import type { AuditEntry, Token } from "./access";
import { Audit } from "./Audit";
import { nameOf } from "../../api/download";
import { Tokens } from "./Tokens";

vi.setConfig({ testTimeout: 20_000 }); // jsdom is slow with a dialog of many inputs on a busy machine

interface Call {
  route: string;
  init: { body?: unknown; params?: { query?: Record<string, unknown>; path?: Record<string, unknown> } };
}

type Answers = Record<string, (call: Call) => unknown>;

class Refusal {
  constructor(readonly errors: { pointer: string; detail: string }[]) {}
}

/** setup opens a page over an API that gives these answers; a Refusal is a 422. */
function setup(page: ReactNode, role: Role, answers: Answers) {
  const calls: Call[] = [];
  for (const method of ["GET", "POST", "DELETE"] as const) {
    vi.spyOn(api, method).mockImplementation((async (path: string, init: Call["init"]) => {
      const call = { route: `${method} ${path.replace("/api/v1", "")}`, init };
      calls.push(call);
      const answer = call.route === "GET /me" ? { role } : answers[call.route]?.(call);
      if (!(answer instanceof Refusal)) return { data: answer, response: new Response() };
      const error = {
        type: "about:blank",
        title: "No",
        status: 422,
        code: "invalid",
        detail: "No.",
        errors: answer.errors,
      };
      return { error, response: new Response(null, { status: 422 }) };
    }) as never);
  }
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        {page}
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { calls, user: userEvent.setup({ pointerEventsCheck: PointerEventsCheckLevel.Never }) };
}

const token: Token = {
  id: "t1",
  name: "Export",
  scopes: ["chats:read"],
  role: "admin",
  created_by: "Dana",
  created_at: "2026-11-01T10:00:00Z",
  expires_at: "2099-01-01T10:00:00Z",
};

it("asks nothing of the API for somebody who may not see tokens, and says who may", async () => {
  const { calls } = setup(<Tokens />, "member", {});
  await screen.findByText("API tokens are for admins and owners");
  expect(calls.map((c) => c.route)).toEqual(["GET /me"]);
});

// By text: with as many inputs as the dialog has, looking for roles takes jsdom seconds.
const press = async (user: UserEvent, text: string) => user.click(await screen.findByText(text));

it("makes a token of what was chosen and shows it once", async () => {
  const answers: Answers = {
    "GET /tokens": () => ({ tokens: [] }),
    "POST /tokens": () => ({ token: "sct_secret", details: { ...token, name: "Sync" } }),
  };
  const { calls, user } = setup(<Tokens />, "admin", answers);
  await press(user, "New token");
  await press(user, "Make the token");
  await screen.findByText("Choose at least one thing that it may do.");
  expect(calls.some((c) => c.route === "POST /tokens")).toBe(false);

  await user.click(screen.getByLabelText(/^Name/));
  await user.paste(" Sync ");
  await press(user, "chats:read");
  await press(user, "Make the token");
  await screen.findByText("sct_secret");
  expect(screen.getByText(/^curl .*\/api\/v1\/chats$/)).toBeTruthy();
  expect(calls.find((c) => c.route === "POST /tokens")!.init.body).toEqual({
    name: "Sync",
    scopes: ["chats:read"],
    expires_in_days: 90,
  });

  await press(user, "I have copied it");
  await waitFor(() => expect(screen.queryByText("sct_secret")).toBeNull());
  await press(user, "New token");
  await screen.findByText("Make the token");
  expect(screen.queryByText("sct_secret")).toBeNull();
});

it("shows beside a field what the API says of it", async () => {
  const answers: Answers = {
    "GET /tokens": () => ({ tokens: [] }),
    "POST /tokens": () => new Refusal([{ pointer: "/name", detail: "Take another name." }]),
  };
  const { user } = setup(<Tokens />, "owner", answers);
  await press(user, "New token");
  await user.click(await screen.findByLabelText(/^Name/));
  await user.paste("Sync");
  await press(user, "audit:read");
  await press(user, "Make the token");
  await screen.findByText("Take another name.");
  expect(screen.getByLabelText(/^Name/).getAttribute("aria-invalid")).toBe("true");
});

it("revokes a token after asking, and not when it is kept", async () => {
  let list = [token];
  const answers: Answers = {
    "GET /tokens": () => ({ tokens: list }),
    "DELETE /tokens/{token_id}": () => {
      list = [];
      return undefined;
    },
  };
  const { calls, user } = setup(<Tokens />, "admin", answers);
  await user.click(await screen.findByRole("button", { name: "Revoke Export" }));
  await user.click(await screen.findByRole("button", { name: "Keep it" }));
  expect(calls.some((c) => c.route.startsWith("DELETE"))).toBe(false);
  await user.click(screen.getByRole("button", { name: "Revoke Export" }));
  await user.click(await screen.findByRole("button", { name: "Revoke" }));
  await screen.findByText("No tokens yet");
  expect(calls.find((c) => c.route.startsWith("DELETE"))!.init.params?.path).toEqual({ token_id: "t1" });
});

const entry: AuditEntry = {
  number: 7,
  at: "2026-11-24T10:00:00Z",
  actor_kind: "user",
  actor: "Dana",
  action: "tenant.updated",
  subject: "Brightwater",
  address: "203.0.113.24",
  before: { name: "Old" },
  after: { name: "New" },
};

it("opens an entry with what was and what is, and loads the page after", async () => {
  const answers: Answers = {
    "GET /audit": ({ init }) =>
      init.params?.query?.before === undefined
        ? { entries: [entry], next: 7 }
        : { entries: [{ ...entry, number: 6, action: "key.rewrapped" }] },
  };
  const { calls, user } = setup(<Audit />, "admin", answers);
  await user.click(await screen.findByRole("button", { name: /details/ }));
  const changes = within(screen.getByRole("table", { name: "What changed" }));
  expect(changes.getAllByRole("cell").map((c) => c.textContent)).toEqual(["", "Old", "New"]);

  await user.click(screen.getByRole("button", { name: "Load more" }));
  await screen.findByText("key.rewrapped");
  expect(calls.filter((c) => c.route === "GET /audit").at(-1)!.init.params?.query?.before).toBe(7);
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
});

it("says where the log is broken", async () => {
  const answers: Answers = {
    "GET /audit": () => ({ entries: [entry] }),
    "POST /audit/verify": () => ({ ok: false, entries: 1204, broken_at: 812 }),
  };
  const { user } = setup(<Audit />, "owner", answers);
  await user.click(await screen.findByRole("button", { name: "Verify" }));
  expect((await screen.findByRole("alert")).textContent).toContain("Entry 812 of 1,204 is missing");
});

it("saves the export under the server's name and looks at the log again", async () => {
  const answers: Answers = {
    "GET /audit": () => ({ entries: [entry] }),
    "GET /audit/export": () => new Blob(["number"]),
  };
  const saved: string[] = [];
  URL.createObjectURL = () => "blob:made-up";
  URL.revokeObjectURL = () => undefined;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(`${this.download} ${this.href}`);
  });
  const { calls, user } = setup(<Audit />, "admin", answers);
  await user.click(await screen.findByRole("button", { name: "Export CSV" }));
  await waitFor(() => expect(saved).toEqual(["sidecard-audit.csv blob:made-up"]));
  await waitFor(() => expect(calls.filter((c) => c.route === "GET /audit")).toHaveLength(2));
});

it("takes the file's name from the server, unless it is no plain name", () => {
  expect(nameOf('attachment; filename="sidecard-audit-2026-11-24.csv"', "x.csv")).toBe("sidecard-audit-2026-11-24.csv");
  expect(nameOf('attachment; filename="../x.csv"', "x.csv")).toBe("x.csv");
  expect(nameOf(null, "x.csv")).toBe("x.csv");
});
