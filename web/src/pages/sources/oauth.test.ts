// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "../../api/client";
import type { Connection, Connector } from "../../api/queries";
import { readAnswer, whole } from "./answer";
import { beginLogin, inputsFor, oauthSettings, otherWays, startedLogin } from "./oauth";

const connector = (available: boolean, ...others: string[]): Connector => ({
  kind: "crm",
  name: "CRM",
  summary: "",
  imports: false,
  guide: "",
  oauth: { available, setting: "auth", value: "oauth" },
  settings_schema: {
    properties: {
      auth: {
        type: "string",
        oneOf: ["oauth", ...others].map((o) => ({ const: o, title: `by ${o}` })),
        default: "oauth",
      },
      key: { type: "string", "x-secret": true, "x-when": { auth: ["key"] } },
    },
  },
});
const connection = (login?: Connection["login"]): Connection => ({
  id: "c1",
  kind: "crm",
  name: "CRM",
  settings: { auth: login ? "oauth" : "key" },
  secrets_set: [],
  status: "new",
  on_card: false,
  created_at: "",
  updated_at: "",
  login,
});
const waysIn = (of: Connector, for_?: Connection) => inputsFor(of, for_)[0]?.choices.map((c) => c.value);

describe("inputsFor", () => {
  it("leaves the login out of a new connection's form, which has a button for it", () => {
    expect(waysIn(connector(true, "key"))).toEqual(["key"]);
    expect(inputsFor(connector(true, "key"))[0]?.fallback).toBe("key");
  });
  it("offers it in the form of an old one, unless the operator has not set it up", () => {
    expect(waysIn(connector(true, "key"), connection())).toEqual(["oauth", "key"]);
    expect(waysIn(connector(false, "key"), connection())).toEqual(["key"]);
    expect(waysIn(connector(false, "key"), connection({ state: "none", account: "", scopes: [] }))).toContain("oauth");
  });
  it("leaves kinds without a login alone", () => {
    const { oauth: _, ...plain } = connector(true, "key");
    expect(waysIn(plain)).toEqual(["oauth", "key"]);
    expect(oauthSettings(plain)).toEqual({});
  });
});

it("names the other ways to connect", () => {
  expect(otherWays(connector(true, "key", "basic"))).toEqual(["by key", "by basic"]);
  expect(otherWays(connector(true))).toEqual([]);
  expect(oauthSettings(connector(true))).toEqual({ auth: "oauth" });
});

describe("beginLogin", () => {
  beforeEach(() => sessionStorage.clear());
  const answer = (authorize_url: string) =>
    vi.spyOn(api, "POST").mockResolvedValue({ data: { authorize_url }, response: new Response() } as never);

  it("never runs a script that an address may hold", async () => {
    answer("javascript:alert(1)");
    await expect(beginLogin("c1")).rejects.toThrow("no web address");
    expect(startedLogin()).toBeNull();
  });
});

describe("readAnswer", () => {
  it("takes the parts of an answer, and text that looks like a number as it was", () => {
    expect(readAnswer({ code: 1234, state: "s", error: "", other: "x" })).toEqual({ code: "1234", state: "s" });
    expect(readAnswer({})).toEqual({});
  });
  it("tells an answer from an address that somebody typed", () => {
    expect(whole({ code: "c", state: "s" })).toBe(true);
    expect(whole({ error: "access_denied", state: "s" })).toBe(true);
    expect(whole({ code: "c" })).toBe(false);
    expect(whole({ state: "s" })).toBe(false);
  });
});
