// @vitest-environment jsdom
import { cleanup, screen, within } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { openPage } from "../../test-page";
import { Plan } from "./Plan";
import { PlanNotice } from "./PlanNotice";
import type { Usage } from "./plan";

afterEach(cleanup);

const used = (chats: number, limit?: number): Usage => ({
  plan: limit === undefined ? "unlimited" : "free",
  resets_at: "2026-03-15T00:00:00Z",
  chats_today: { used: chats, limit },
  connections: { used: 3, limit: 3 },
  csv_rows: { used: 10, limit: 20_000 },
  members: { used: 4, limit: 5 },
  api_tokens: { used: 0, limit: 50 },
  days: Array.from({ length: 14 }, (_, i) => ({
    day: `2026-03-${String(i + 1).padStart(2, "0")}`,
    chats: i === 13 ? chats : i,
    over_quota: i === 13 ? Math.max(0, chats - 500) : 0,
  })),
});

const open = (usage: Usage) =>
  openPage({
    at: "/settings/plan",
    layout: "inside",
    pages: {
      "/settings/plan": () => (
        <>
          <PlanNotice />
          <Plan />
        </>
      ),
    },
    api: { "GET /usage": usage },
  });

it("says of each limit how much is used, and what to do about a full one", async () => {
  await open(used(420, 500));
  const sources = await screen.findByRole("meter", { name: "Sources" });
  expect(sources.getAttribute("aria-valuetext")).toBe("3 of 3");
  const items = screen.getAllByRole("listitem").map((i) => i.textContent);
  expect(items).toContainEqual(expect.stringMatching(/Sources3 of 3.*Used up\. Remove one you no longer use/));
  expect(items).toContainEqual(expect.stringMatching(/Chats today420 of 500.*Almost used up\./));
  expect(items).toContainEqual("Rows of CSV data10 of 20,000");
  screen.getByText("Today’s chats are almost used up");
});

it("reads the days out as a table, with the chats beyond the plan", async () => {
  await open(used(512, 500));
  const days = await screen.findByRole("table", { name: /last 14 days/ });
  expect(within(days).getAllByRole("row")).toHaveLength(15);
  expect(within(days).getByRole("row", { name: "14 Mar 512 12" })).toBeDefined();
  screen.getByText("Today’s chats are used up");
  screen.getByRole("link", { name: "Look at them and replay them" });
});

it("warns of nothing where chats are not limited", async () => {
  await open(used(1e6));
  await screen.findByText("Unlimited: chats are not limited.");
  expect(screen.queryByText(/Today’s chats are/)).toBeNull();
  expect(screen.queryByRole("meter", { name: "Chats today" })).toBeNull();
});
