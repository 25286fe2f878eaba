// @vitest-environment jsdom
import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { chats } from "../../mock/chats.ts";
import { me } from "../../mock/tenant.ts";
import type { Role } from "../api/may";
import { begin } from "../api/session";
import { openPage, problem } from "../test-page";
import { Address } from "./Address";

afterEach(cleanup);

const known = chats.find((c) => c.visitor_email === "m…@lindqvist.se")!;
const path = `POST /chats/${known.id}/reveal`;

function open(role: Role, answer: object, chat = known) {
  begin({ access_token: "a", token_type: "Bearer", expires_in: 600, me: { ...me, role } });
  return openPage({
    at: "/chat",
    layout: "inside",
    pages: {
      "/chat": () => (
        <dl>
          <Address chat={chat} />
        </dl>
      ),
    },
    api: { [path]: answer },
  });
}

it("is masked until somebody asks for it", async () => {
  const { user, asked } = await open("member", { email: "maya@lindqvist.se", visitor_id: "v" });
  await screen.findByText(/m…@lindqvist\.se/);
  expect(asked).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Show" }));
  await screen.findByText("maya@lindqvist.se");
  expect(screen.queryByRole("button", { name: "Show" })).toBeNull();
});

it("stays masked for who may only look on", async () => {
  await open("viewer", {});
  await screen.findByText(/m…@lindqvist\.se/);
  expect(screen.queryByRole("button", { name: "Show" })).toBeNull();
});

it("says why it is not shown", async () => {
  const { user } = await open("admin", problem(409, "conflict", "What was kept of it has been removed."));
  await user.click(await screen.findByRole("button", { name: "Show" }));
  await screen.findByText("What was kept of it has been removed.");
});
