// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { api } from "../../api/client";
import { card, desk } from "../../api/queries";
import type { ReplayCount, ReplayResult } from "../../api/replays";
import { ReplayDialog } from "./ReplayDialog";

const selection = { chat_ids: ["a", "b", "c"] };
const counted = (chats: number, old: number): ReplayCount => ({
  chats,
  skipped: old === 0 ? [] : [{ reason: "too_old", message: "It started long ago.", chats: old }],
  not_found: [],
  limit: 1000,
  more: false,
});
const result: ReplayResult = { replayed: 2, skipped: [], not_found: [], more: false, chats: ["x", "y"] };
const changed = { type: "about:blank", title: "Conflict", status: 409, code: "conflict", detail: "Count again." };

interface Asked {
  path: string;
  body: { force: boolean; expect?: number };
}

/** setup opens the dialog over an API that gives these counts and these answers to a replay, one after the other. */
function setup(counts: ReplayCount[], answers: (ReplayResult | typeof changed)[]) {
  const asked: Asked[] = [];
  vi.spyOn(api, "POST").mockImplementation((async (path: string, init: { body: Asked["body"] }) => {
    asked.push({ path, body: init.body });
    const answer = (path.endsWith("/count") ? counts : answers).shift();
    return answer !== undefined && "status" in answer
      ? { error: answer, response: new Response(null, { status: answer.status }) }
      : { data: answer, response: new Response() };
  }) as never);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  queries.setQueryData(card().queryKey, { version: 7, lines: [] });
  queries.setQueryData(desk().queryKey, { deadline_seconds: 600 } as never);
  const started = vi.fn();
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <ReplayDialog selection={selection} close={() => undefined} started={started} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { asked, started, user: userEvent.setup() };
}

const button = (name: RegExp) => screen.findByRole("button", { name });

it("starts what it counted, once, however often it is pressed", async () => {
  const { asked, started, user } = setup([counted(2, 1)], [result]);
  await user.dblClick(await button(/^Replay 2\schats$/));
  await waitFor(() => expect(started).toHaveBeenCalledOnce());
  expect(started.mock.calls[0]![0]).toEqual(result);
  expect(asked.map((a) => a.body)).toEqual([
    { ...selection, force: false },
    { ...selection, force: false, expect: 2 },
  ]);
});

it("counts anew and asks again when the number has changed", async () => {
  const { asked, started, user } = setup([counted(3, 0), counted(2, 0)], [changed, result]);
  await user.click(await button(/^Replay 3\schats$/));
  await screen.findByText(/It was 3\schats when you pressed the button, and it is 2\schats now/);
  expect(started).not.toHaveBeenCalled();
  await user.click(await button(/^Replay 2\schats$/));
  await waitFor(() => expect(started).toHaveBeenCalledOnce());
  expect(asked.map((a) => a.body.expect)).toEqual([undefined, 3, undefined, 2]);
});

it("offers to force only what is too old, and counts with it", async () => {
  const { asked, user } = setup([counted(0, 3), counted(3, 0)], []);
  await screen.findByText(/All 3\schats are left out/);
  expect(screen.queryByRole("button", { name: /^Replay/ })).toBeNull();
  await user.click(screen.getByRole("switch", { name: /older than 10\sminutes/ }));
  await button(/^Replay 3\schats$/);
  expect(asked.at(-1)!.body.force).toBe(true);
});

it("says that it is not certain when no answer comes", async () => {
  const lost = { ...changed, status: 503, code: "unavailable", detail: "The database does not answer." };
  const { started, user } = setup([counted(1, 0), counted(0, 0)], [lost]);
  await user.click(await button(/^Replay 1\schat$/));
  await screen.findByText("It is not certain that the replay started");
  await screen.findByText("No chat fits this choice.");
  expect(started).not.toHaveBeenCalled();
});
