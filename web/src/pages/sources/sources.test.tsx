// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "../../api/client";
import { connection, type Connection, type Connector } from "../../api/queries";
import { readAnswer } from "./answer";
import { Callback } from "./Callback";
import { ConnectSource } from "./ConnectSource";
import { Source } from "./Source";

const fingerprint = "9f".repeat(32);
const postgres: Connector = {
  kind: "postgres",
  name: "PostgreSQL",
  summary: "Reads a table.",
  imports: false,
  guide: "",
  settings_schema: {
    required: ["host"],
    properties: {
      host: { type: "string", title: "Host", "x-binds-secrets": true, "x-order": 1 },
      password: { type: "string", title: "Password", "x-secret": true, "x-order": 2 },
      tls: { type: "string", enum: ["encrypt", "pin"], default: "encrypt", title: "Encryption", "x-order": 3 },
      pin: { type: "string", title: "Fingerprint", "x-when": { tls: ["pin"] }, "x-order": 4 },
    },
  },
};
const hubspot: Connector = {
  kind: "hubspot",
  name: "HubSpot",
  summary: "Reads contacts.",
  imports: false,
  guide: "",
  oauth: { available: true, setting: "auth", value: "oauth" },
  settings_schema: {
    properties: {
      auth: { type: "string", enum: ["oauth", "service_key"], default: "oauth", title: "Sign-in" },
      service_key: { type: "string", title: "Service key", "x-secret": true, "x-when": { auth: ["service_key"] } },
    },
  },
};

const shop: Connection = {
  id: "c1",
  kind: "postgres",
  name: "Shop",
  settings: { host: "db", tls: "encrypt" },
  secrets_set: ["password"],
  status: "warning",
  on_card: true,
  created_at: "2026-11-01T00:00:00Z",
  updated_at: "2026-11-01T00:00:00Z",
  last_check: {
    ok: true,
    at: "2026-11-01T00:00:00Z",
    steps: [
      {
        name: "Encrypt",
        state: "warn",
        detail: "The server does not prove who it is.",
        advice: "Trust this certificate and no other.",
        script: "select 1;",
        suggest: [
          { setting: "pin", value: fingerprint, label: "Trust this certificate" },
          { setting: "host", value: "db2", label: "Use db2" },
        ],
      },
    ],
  },
};
const crm: Connection = {
  ...shop,
  id: "c2",
  kind: "hubspot",
  name: "CRM",
  settings: { auth: "oauth" },
  secrets_set: [],
  status: "working",
  last_check: { ok: true, at: "2026-11-01T00:00:00Z", steps: [] },
  login: { state: "connected", account: "shop.com", scopes: ["contacts"], connected_at: "2026-11-01T00:00:00Z" },
};

interface Asked {
  method: string;
  path: string;
  body: unknown;
}

/** setup opens a page over an API with these sources. What `answers` holds for a path is answered there. */
async function setup(at: string, sources: Connection[], answers: Record<string, unknown> = {}) {
  const asked: Asked[] = [];
  const answer = (method: string) =>
    (async (path: string, init?: { params?: { path?: { connection_id?: string } }; body?: unknown }) => {
      const source = sources.find((s) => s.id === init?.params?.path?.connection_id);
      if (method !== "GET") asked.push({ method, path, body: init?.body });
      const found =
        answers[path] ??
        {
          "/api/v1/connectors": { connectors: [postgres, hubspot] },
          "/api/v1/connections": { connections: sources },
          "/api/v1/connections/{connection_id}": source,
          "/api/v1/connections/{connection_id}/fields": { fields: [] },
          "/api/v1/connections/{connection_id}/check": { ok: true, at: "2026-11-02T00:00:00Z", steps: [] },
          "/api/v1/card": { version: 0, lines: [] },
        }[path];
      return found !== undefined && "status" in (found as object) && "detail" in (found as object)
        ? { error: found, response: new Response(null, { status: (found as { status: number }).status }) }
        : { data: found, response: new Response() };
    }) as never;
  for (const method of ["GET", "POST", "PATCH", "DELETE"] as const)
    vi.spyOn(api, method).mockImplementation(answer(method));
  const root = createRootRoute({ component: Outlet });
  const inside = createRoute({ getParentRoute: () => root, id: "inside" });
  const page = (path: string, component: () => React.ReactNode) =>
    createRoute({ getParentRoute: () => inside, path, component });
  const router = createRouter({
    routeTree: root.addChildren([
      inside.addChildren([
        page("/sources", () => "All sources"),
        page("/sources/add/$kind", ConnectSource),
        page("/sources/$connectionId", Source),
        createRoute({
          getParentRoute: () => inside,
          path: "/connect/callback",
          validateSearch: readAnswer,
          component: Callback,
        }),
      ]),
    ]),
    history: createMemoryHistory({ initialEntries: [at] }),
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { asked, queries, router, user: userEvent.setup() };
}

beforeEach(() => {
  sessionStorage.clear();
  window.scrollTo = () => undefined;
});

describe("a check's advice", () => {
  it("is stored and checked again with one click, with what it needs beside it", async () => {
    const { asked, user } = await setup("/sources/c1", [shop], { "/api/v1/connections/{connection_id}": shop });
    await user.click(await screen.findByRole("button", { name: "Trust this certificate" }));
    await waitFor(() => expect(asked.map((a) => a.method)).toEqual(["PATCH", "POST"]));
    expect(asked[0]?.body).toEqual({ name: "Shop", settings: { host: "db", tls: "pin", pin: fingerprint } });
    expect(asked[1]?.path).toBe("/api/v1/connections/{connection_id}/check");
  });

  it("asks for the password first when it would send it elsewhere", async () => {
    const { asked, user } = await setup("/sources/c1", [shop]);
    await user.click(await screen.findByRole("button", { name: "Use db2" }));
    expect(await screen.findByText("Enter it again: Host has changed.")).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText("Password"));
    expect(screen.getByLabelText("Host")).toHaveProperty("value", "db2");
    expect(asked).toEqual([]);
  });

  it("is copied whole", async () => {
    const { user } = await setup("/sources/c1", [shop]);
    await user.click(await screen.findByRole("button", { name: "Copy the script for “Encrypt”" }));
    expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
    expect(await navigator.clipboard.readText()).toBe("select 1;");
  });
});

it("follows what a colleague saved, until somebody begins to fill the form in", async () => {
  const { queries, user } = await setup("/sources/c1", [shop]);
  await user.click(await screen.findByRole("button", { name: "Change name and settings" }));
  const saved = (host: string): Connection => ({ ...shop, settings: { ...shop.settings, host }, updated_at: host });
  act(() => void queries.setQueryData(connection("c1").queryKey, saved("db3")));
  await waitFor(() => expect(screen.getByLabelText("Host")).toHaveProperty("value", "db3"));
  await user.type(screen.getByLabelText("Host"), "x");
  act(() => void queries.setQueryData(connection("c1").queryKey, saved("db4")));
  expect(screen.getByLabelText("Host")).toHaveProperty("value", "db3x");
});

describe("a new source with a login", () => {
  it("is one click from the vendor's page, and a second try makes no second source", async () => {
    const refused = { type: "about:blank", title: "No", status: 503, code: "unavailable", detail: "Try again later." };
    const { asked, user } = await setup("/sources/add/hubspot", [], {
      "/api/v1/connections": crm,
      "/api/v1/connections/{connection_id}/login": refused,
    });
    await user.click(await screen.findByRole("button", { name: "Connect with HubSpot" }));
    expect(await screen.findByText("Try again later.")).toBeTruthy();
    expect(asked[0]?.body).toEqual({ kind: "hubspot", name: "HubSpot", settings: { auth: "oauth" } });
    await user.click(screen.getByRole("button", { name: "Connect with HubSpot" }));
    await waitFor(() => expect(asked).toHaveLength(3));
    expect(asked.filter((a) => a.path === "/api/v1/connections")).toHaveLength(1);
  });

  it("can be connected with a key instead", async () => {
    const { asked, user } = await setup("/sources/add/hubspot", [crm], { "/api/v1/connections": crm });
    await user.click(await screen.findByRole("button", { name: "Connect in another way" }));
    await user.type(screen.getByLabelText("Service key"), "pat-1");
    await user.click(screen.getByRole("button", { name: "Connect and check" }));
    await waitFor(() => expect(asked).not.toEqual([]));
    expect(asked[0]?.body).toMatchObject({ settings: { auth: "service_key", service_key: "pat-1" } });
  });
});

describe("back from the vendor", () => {
  const finish = "/api/v1/connections/login/finish";

  it("finishes once, goes to the source and checks it", async () => {
    const { asked, router } = await setup("/connect/callback?code=good&state=s1", [crm], { [finish]: crm });
    expect(await screen.findByRole("heading", { level: 1, name: "CRM" })).toBeTruthy();
    await waitFor(() => expect(asked.map((a) => a.path)).toContain("/api/v1/connections/{connection_id}/check"));
    expect(asked.filter((a) => a.path === finish).map((a) => a.body)).toEqual([{ state: "s1", code: "good" }]);
    expect(router.state.location.href).toBe("/sources/c2");
  });

  it("says what was refused, keeps no code in the address, and begins again for the same source", async () => {
    sessionStorage.setItem("sidecard.login", "c2");
    const denied = {
      type: "about:blank",
      title: "No",
      status: 409,
      code: "login_denied",
      detail: "It was not allowed.",
    };
    const { asked, router, user } = await setup("/connect/callback?error=access_denied&state=s1", [crm], {
      [finish]: denied,
      "/api/v1/connections/{connection_id}/login": { authorize_url: "javascript:void 0" },
    });
    expect(await screen.findByText("It was not allowed.")).toBeTruthy();
    expect(asked[0]?.body).toEqual({ state: "s1", error: "access_denied" });
    await waitFor(() => expect(router.state.location.href).toBe("/connect/callback"));
    await user.click(await screen.findByRole("button", { name: "Connect again" }));
    await waitFor(() => expect(asked.at(-1)?.path).toBe("/api/v1/connections/{connection_id}/login"));
    expect(asked.filter((a) => a.path === finish)).toHaveLength(1);
  });

  it("sends the same answer again when the first did not arrive", async () => {
    const away = { type: "about:blank", title: "Away", status: 503, code: "unavailable", detail: "Sidecard is away." };
    const answers: Record<string, unknown> = { [finish]: away };
    const { asked, router, user } = await setup("/connect/callback?code=good&state=s1", [crm], answers);
    await user.click(await screen.findByRole("button", { name: "Try again" }));
    answers[finish] = crm;
    await user.click(await screen.findByRole("button", { name: "Try again" }));
    await waitFor(() => expect(router.state.location.href).toBe("/sources/c2"));
    expect(asked.filter((a) => a.path === finish).map((a) => a.body)).toEqual(
      Array.from({ length: 3 }, () => ({ state: "s1", code: "good" })),
    );
  });

  it("sends nothing for an address that somebody typed", async () => {
    const { asked } = await setup("/connect/callback", []);
    expect(await screen.findByText("This page finishes a login")).toBeTruthy();
    expect(asked).toEqual([]);
  });
});

describe("a login", () => {
  it("is ended after a question", async () => {
    const { asked, user } = await setup("/sources/c2", [crm], { "/api/v1/connections/{connection_id}/login": crm });
    expect(await screen.findByText("shop.com")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Disconnect" }));
    await user.click((await screen.findAllByRole("button", { name: "Disconnect" })).at(-1)!);
    await waitFor(() =>
      expect(asked).toEqual([{ method: "DELETE", path: "/api/v1/connections/{connection_id}/login", body: undefined }]),
    );
  });

  it("that the vendor ended is said on top, and nothing is checked without it", async () => {
    const ended = { ...crm, status: "new" as const, last_check: undefined };
    const { asked } = await setup("/sources/c2", [
      { ...ended, login: { state: "needs_reconnect", account: "shop.com", scopes: [] } },
    ]);
    expect(await screen.findByText("HubSpot has ended the login of shop.com")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Reconnect" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Check now" })).toBeNull();
    expect(asked).toEqual([]);
  });
});
