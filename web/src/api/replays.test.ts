// @vitest-environment jsdom
import { QueryClient } from "@tanstack/react-query";
import { expect, it, vi } from "vitest";
import type { Chat, OutcomeName } from "./queries";
import { api } from "./client";
import { following, matching, progress, tally } from "./replays";

const id = (n: number) => `0192f3a4-7c1e-7000-8000-${n.toString(16).padStart(12, "0")}`;

function chat(n: number, name: OutcomeName): Chat {
  const outcome = { name, title: name, message: "" };
  return { id: id(n), received_at: "2026-11-24T14:02:07Z", visitor_id: "1", outcome, attempts: 0, sources: [] };
}

interface Asked {
  params: { query: { before: string } };
}

function byId(...chats: Chat[]) {
  return Object.fromEntries(chats.map((c) => [c.id, c]));
}

it("counts shown, not shown and on the way", () => {
  const seen = byId(chat(1, "shown"), chat(2, "shown_in_part"), chat(3, "no_match"), chat(4, "waiting"));
  expect(tally([1, 2, 3, 4, 5].map(id), seen)).toEqual({ shown: 2, notShown: 1, onTheWay: 2 });
});

it("selects with every outcome when none is chosen", () => {
  const now = new Date("2026-11-24T14:02:07Z");
  expect(matching({ outcome: "refused" }, now)).toEqual({ filter: { outcomes: ["refused"] } });
  const all = matching({ time: "hour" }, now);
  expect(all).toMatchObject({ filter: { from: "2026-11-24T13:02:07.000Z" } });
  expect("filter" in all && all.filter?.outcomes).toHaveLength(16);
});

it("finds the next id, over every dash", () => {
  expect(following(id(255))).toBe(id(256));
  expect(following("0192f3a4-7c1e-7fff-ffff-ffffffffffff")).toBe("0192f3a4-7c1e-8000-0000-000000000000");
});

it("looks at what has not ended, from the newest of it, past chats that came between", async () => {
  const lists = [
    { chats: [chat(9, "waiting"), chat(8, "no_match"), chat(7, "shown")], next: id(7) },
    { chats: [chat(5, "waiting"), chat(4, "shown")], next: id(4) },
    { chats: [chat(9, "shown"), chat(8, "no_match"), chat(7, "shown"), chat(5, "refused")], next: id(5) },
  ];
  const get = vi.spyOn(api, "GET");
  for (const list of lists) {
    get.mockResolvedValueOnce({ data: list, response: new Response() } as never);
  }
  const ids = [9, 7, 5].map(id);
  const client = new QueryClient();

  const first = await client.fetchQuery(progress(ids));
  expect(tally(ids, first)).toEqual({ shown: 1, notShown: 0, onTheWay: 2 });
  const second = await client.fetchQuery({ ...progress(ids), staleTime: 0 });
  expect(tally(ids, second)).toEqual({ shown: 2, notShown: 1, onTheWay: 0 });
  expect(Object.keys(second)).not.toContain(id(8));

  const asked = get.mock.calls.map((call) => (call as unknown as [string, Asked])[1].params.query.before);
  expect(asked).toEqual([id(10), id(7), id(10)]);

  await client.fetchQuery({ ...progress(ids), staleTime: 0 });
  expect(get).toHaveBeenCalledTimes(3); // all have ended
});
