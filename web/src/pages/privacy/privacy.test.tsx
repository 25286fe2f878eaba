// @vitest-environment jsdom
import { cleanup, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { me } from "../../../mock/tenant.ts";
import type { Role } from "../../api/may";
import { begin } from "../../api/session";
import { openPage, problem } from "../../test-page";
import { Privacy } from "./Privacy";
import { choices, daysText } from "./retention";

Element.prototype.scrollIntoView = () => undefined; // jsdom has none, and an opened list asks for it
afterEach(cleanup);

const company = {
  id: me.tenant.id,
  name: me.tenant.name,
  second_factor_required: false,
  plan: "team",
  retention_days: 30,
  created_at: "2026-01-01T00:00:00Z",
};

function open(role: Role, erased: object = { chats: 3, unfinished: 1, rows: 2 }) {
  begin({ access_token: "a", token_type: "Bearer", expires_in: 600, me: { ...me, role } });
  return openPage({
    at: "/settings/privacy",
    layout: "inside",
    pages: { "/settings/privacy": Privacy },
    api: {
      "GET /me": { ...me, role },
      "GET /tenant": company,
      "PATCH /tenant": (asked) => ({ ...company, ...(asked.body as object) }),
      "POST /privacy/erasures": erased,
      "POST /tenant/export": {},
    },
  });
}

it("offers the usual times and the one that is set", () => {
  expect(choices(30)).toEqual([1, 7, 14, 30, 60, 90, 180, 365]);
  expect(choices(45)).toContain(45);
  expect([1, 2, 365].map(daysText)).toEqual(["1\u00a0day", "2\u00a0days", "1\u00a0year"]);
});

it("keeps details longer at once, and asks before it keeps them shorter", async () => {
  const { user, asked } = await open("admin");
  const changes = () => asked.filter((a) => a.method === "PATCH").map((a) => a.body);
  const select = await screen.findByRole("combobox", { name: "Keep the details of a chat for" });
  await user.click(select);
  await user.click(await screen.findByRole("option", { name: daysText(90) }));
  await waitFor(() => expect(changes()).toEqual([{ retention_days: 90 }]));
  await user.click(await screen.findByRole("combobox", { name: "Keep the details of a chat for" }));
  await user.click(await screen.findByRole("option", { name: daysText(7) }));
  const dialog = await screen.findByRole("dialog", { name: /Keep details for 7.days only\?/ });
  expect(changes()).toHaveLength(1);
  await user.click(within(dialog).getByRole("button", { name: "Keep them shorter" }));
  await waitFor(() => expect(changes()).toEqual([{ retention_days: 90 }, { retention_days: 7 }]));
});

it("asks before it erases a visitor, and says how much that was", async () => {
  const { user, asked } = await open("admin");
  await user.type(await screen.findByRole("textbox", { name: "E-mail address" }), " maya@lindqvist.se ");
  await user.click(screen.getByRole("button", { name: "Erase this visitor" }));
  const dialog = await screen.findByRole("dialog", { name: "Erase maya@lindqvist.se?" });
  expect(asked.some((a) => a.path === "/privacy/erasures")).toBe(false);
  await user.click(within(dialog).getByRole("button", { name: "Erase" }));
  await screen.findByText("The visitor was erased");
  screen.getByText(/3.chats and 2.rows of CSV data\. 1.chat was not over yet and ended\./);
  expect(asked.find((a) => a.path === "/privacy/erasures")?.body).toEqual({ email: "maya@lindqvist.se" });
});

it("erases by visitor id, and says when there was nothing", async () => {
  const { user, asked } = await open("owner", { chats: 0, unfinished: 0, rows: 0 });
  await user.click(await screen.findByRole("radio", { name: "Visitor id" }));
  await user.type(screen.getByRole("textbox", { name: "Visitor id" }), "v-17");
  await user.click(screen.getByRole("button", { name: "Erase this visitor" }));
  await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Erase" }));
  await screen.findByText("Nothing is kept of this visitor");
  expect(asked.find((a) => a.path === "/privacy/erasures")?.body).toEqual({ visitor_id: "v-17" });
});

it("shows what is wrong in the dialog", async () => {
  const { user } = await open(
    "admin",
    problem(429, "too_many", "That was tried too often. Wait 2 minutes and try again."),
  );
  await user.type(await screen.findByRole("textbox", { name: "E-mail address" }), "maya@lindqvist.se");
  await user.click(screen.getByRole("button", { name: "Erase this visitor" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Erase" }));
  await within(dialog).findByText("Not everything was erased");
});

it("exports for an owner who shows the password, and says where it stands", async () => {
  const saved: string[] = [];
  URL.createObjectURL = () => "blob:export";
  URL.revokeObjectURL = () => undefined;
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(this.download);
  });
  const { user, asked } = await open("owner");
  await user.click(await screen.findByRole("button", { name: "Export your data" }));
  const dialog = await screen.findByRole("dialog", { name: "Export your company’s data?" });
  await user.type(within(dialog).getByLabelText(/Your password/), "trekker-in-the-rain");
  await user.click(within(dialog).getByRole("button", { name: "Export" }));
  await screen.findByText("The file was saved");
  expect(saved).toEqual(["sidecard.zip"]);
  expect(asked.find((a) => a.path === "/tenant/export")?.body).toEqual({ password: "trekker-in-the-rain" });
  click.mockRestore();
});

it("tells who may do it to whoever may not", async () => {
  await open("member");
  await screen.findByText("Admins and owners can do this.");
  screen.getByText("Admins and owners change it.");
  screen.getByText("Only an owner can do this.");
  expect(screen.queryByRole("button", { name: "Erase this visitor" })).toBeNull();
});
