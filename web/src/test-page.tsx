// A page on its own in a test: routed, with an API that answers what the test says and tells what was asked of it.
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, Outlet, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { vi } from "vitest";
import type { Schemas } from "./api/client";

export interface Asked {
  method: string;
  /** Below /api/v1. */
  path: string;
  body: unknown;
}

/** What the API says: a body with 200, a status alone, or what a function makes of the request. */
type Said = object | number | ((asked: Asked) => object | number);

interface Opening {
  at: string;
  /** The layout route that the page reads its parameters from. */
  layout: string;
  pages: Record<string, () => ReactNode>;
  /** By method and path, such as "POST /auth/signin". Anything else is not found. */
  api: Record<string, Said>;
}

/** problem is an error as the API says it. */
export function problem(status: number, code: string, detail: string, errors?: Schemas["FieldProblem"][]): object {
  return { type: "about:blank", title: "Refused", status, code, detail, errors };
}

/** openPage shows the page at a path. The session's tokens come from the API, too. */
export async function openPage({ at, layout, pages, api }: Opening) {
  const asked: Asked[] = [];
  vi.stubGlobal("scrollTo", () => undefined);
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname.replace("/api/v1", "");
    const text = await request.text();
    const ask: Asked = { method: request.method, path, body: text === "" ? undefined : JSON.parse(text) };
    asked.push(ask);
    const said = api[`${ask.method} ${path}`] ?? problem(404, "not_found", `The test has no ${ask.method} ${path}.`);
    return answered(typeof said === "function" ? said(ask) : said);
  });
  window.history.replaceState(null, "", at);
  const root = createRootRoute({ component: Outlet });
  const inside = createRoute({
    getParentRoute: () => root,
    id: layout,
    validateSearch: (search: Record<string, unknown>) => search,
  });
  const router = createRouter({
    routeTree: root.addChildren([
      inside.addChildren(
        Object.entries(pages).map(([path, component]) =>
          createRoute({ getParentRoute: () => inside, path, component }),
        ),
      ),
    ]),
    defaultNotFoundComponent: () => "Another page",
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { asked, router, queries, user: userEvent.setup() };
}

function answered(said: object | number): Response {
  if (typeof said === "number") return new Response(null, { status: said });
  const status = "status" in said && "detail" in said ? Number(said.status) : 200;
  return Response.json(said, { status });
}
