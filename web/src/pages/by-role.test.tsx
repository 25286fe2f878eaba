// @vitest-environment jsdom
import { readFileSync } from "node:fs";
import { screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { card } from "../../mock/card.ts";
import { chatPage, chats } from "../../mock/chats.ts";
import { connections } from "../../mock/connections.ts";
import { connectors } from "../../mock/connectors.ts";
import { desk, rejections } from "../../mock/desk.ts";
import { csvId, me, postgresId } from "../../mock/tenant.ts";
import { leastRole, may, type Action, type Role } from "../api/may";
import { begin } from "../api/session";
import { openPage, type Asked } from "../test-page";
import { Designer } from "./card/Designer";
import { Chat } from "./Chat";
import { Chats } from "./Chats";
import { CsvList } from "./csv/CsvList";
import { Lists } from "./csv/Lists";
import { LiveSupporti } from "./desk/LiveSupporti";
import { Home } from "./Home";
import { AddSource } from "./sources/AddSource";
import { ConnectSource } from "./sources/ConnectSource";
import { Source } from "./sources/Source";
import { Sources } from "./sources/Sources";

const aChat = chats[0]!;

function open(at: string, role: Role, change: { connections?: typeof connections } = {}) {
  begin({ access_token: "a", token_type: "Bearer", expires_in: 600, me: { ...me, role } });
  const sources = change.connections ?? connections;
  return openPage({
    at,
    layout: "inside",
    pages: {
      "/": Home,
      "/card": Designer,
      "/chats": Chats,
      "/chats/$chatId": Chat,
      "/csv": Lists,
      "/csv/$connectionId": CsvList,
      "/livesupporti": LiveSupporti,
      "/sources": Sources,
      "/sources/add": AddSource,
      "/sources/add/$kind": ConnectSource,
      "/sources/$connectionId": Source,
    },
    api: {
      "GET /card": card,
      "GET /chats": { chats: [aChat] },
      [`GET /chats/${aChat.id}`]: chatPage(aChat),
      "GET /connections": { connections: sources },
      "GET /connectors": { connectors },
      "GET /desk": desk,
      "GET /desk/rejections": { rejections },
      ...Object.fromEntries(sources.map((c) => [`GET /connections/${c.id}`, c])),
      ...Object.fromEntries(sources.map((c) => [`GET /connections/${c.id}/fields`, { fields: [] }])),
    },
  });
}

/** Which operation of the contract a request was. */
function operation({ method, path }: Asked): Action {
  const { paths } = contract;
  for (const [template, at] of Object.entries(paths)) {
    const pattern = new RegExp(`^${template.replace("/api/v1", "").replace(/\{\w+\}/g, "[^/]+")}$`);
    const id = at[method.toLowerCase()]?.operationId;
    if (pattern.test(path) && id !== undefined && id in leastRole) return id as Action;
  }
  throw new Error(`no operation for ${method} ${path}`);
}

const contract = parse(
  readFileSync("../internal/api/contract/openapi.yaml", "utf8"), // tests run in web/
) as { paths: Record<string, Record<string, { operationId?: string } | undefined>> };

afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
});

describe("every page asks a viewer's questions only", () => {
  const pages: [at: string, heading: string | RegExp][] = [
    ["/", /had (a|its) card|Ready|step/],
    ["/card", "Card"],
    ["/chats", "Chats"],
    [`/chats/${aChat.id}`, new RegExp(aChat.outcome.title.slice(0, 8))],
    ["/csv", "CSV data"],
    [`/csv/${csvId}`, connections.find((c) => c.id === csvId)!.name],
    ["/livesupporti", /./],
    ["/sources", "Sources"],
    ["/sources/add", "What knows your customers?"],
    ["/sources/add/postgres", /^Connect/],
    [`/sources/${postgresId}`, connections.find((c) => c.id === postgresId)!.name],
  ];
  it.each(pages)("at %s", async (at, heading) => {
    const { asked, queries } = await open(at, "viewer");
    await screen.findByRole("heading", { level: 1, name: heading });
    await waitFor(() => expect(queries.isFetching()).toBe(0));
    expect(asked.length).toBeGreaterThan(0);
    for (const ask of asked) {
      const action = operation(ask);
      expect(may("viewer", action), `${action} takes ${leastRole[action]}`).toBe(true);
    }
    expect(screen.queryByText(/not_found|The test has no/)).toBeNull();
  });
});

describe("a viewer", () => {
  it("is offered no change of a source, and told who makes them", async () => {
    await open(`/sources/${postgresId}`, "viewer");
    await screen.findByText("Name and settings are only for admins and owners");
    for (const name of ["Check now", "More", "Change name and settings", "Upload a file"])
      expect(screen.queryByRole("button", { name }), name).toBeNull();
  });

  it("reads the card without a way to change it", async () => {
    await open("/card", "viewer");
    await screen.findByText("Changes of the card are only for members, admins and owners");
    for (const line of card.lines) expect(screen.getByText(line.label)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Publish/ })).toBeNull();
  });

  it("sees chats without a choice to replay", async () => {
    await open("/chats", "viewer");
    await screen.findByRole("table");
    expect(screen.queryByRole("checkbox")).toBeNull();
    expect(screen.queryByText("Select chats to replay them.")).toBeNull();
  });
});

describe("a member", () => {
  it("replays chats", async () => {
    await open(`/chats/${aChat.id}`, "member");
    expect(await screen.findByRole("button", { name: "Replay" })).toBeTruthy();
  });

  it("checks a source and asks it, and leaves its settings to admins", async () => {
    await open(`/sources/${postgresId}`, "member");
    expect(await screen.findByRole("button", { name: "Check now" })).toBeTruthy();
    expect(screen.getByRole("heading", { name: "Try an e-mail" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "More" })).toBeNull();
  });

  it("tests the desk's credentials and changes none", async () => {
    await open("/livesupporti", "member");
    expect(await screen.findByRole("button", { name: "Test credentials" })).toBeTruthy();
    expect(screen.queryByLabelText(/API key/)).toBeNull();
    expect(screen.queryByRole("button", { name: /secret/i })).toBeNull();
    for (const radio of screen.getAllByRole("radio")) expect(radio).toHaveProperty("disabled", true);
  });

  it("uploads a newer file to a list, and is told who makes a new list", async () => {
    await open("/csv", "member");
    expect(await screen.findByText("New lists are only for admins and owners")).toBeTruthy();
  });
});

describe("an admin", () => {
  it("is offered all that there is to do about a source", async () => {
    await open(`/sources/${postgresId}`, "admin");
    for (const name of ["Check now", "More", "Change name and settings"])
      expect(await screen.findByRole("button", { name })).toBeTruthy();
  });

  it("is asked to connect the first source", async () => {
    await open("/sources", "admin", { connections: [] });
    expect(await screen.findByRole("link", { name: "Connect a source" })).toBeTruthy();
  });
});
