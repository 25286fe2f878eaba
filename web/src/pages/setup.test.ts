import { describe, expect, it } from "vitest";
import type { Chat, Connection, Desk } from "../api/queries";
import { setupSteps, verdict } from "./setup";

const desk: Desk = {
  callback_url: "https://x/hooks/t",
  secret_set: true,
  email: "d@b.se",
  api_key_set: true,
  unsigned: "refuse",
  paused: false,
  goal_ms: 1000,
  deadline_seconds: 60,
  handshake_at: "2026-11-24T10:00:00Z",
  first_signed_at: "2026-11-24T10:01:00Z",
};
const source = {
  id: "1",
  kind: "csv",
  name: "Customers",
  settings: {},
  secrets_set: [],
  status: "working",
  on_card: true,
  created_at: "",
  updated_at: "",
} satisfies Connection;
const done = (state: Parameters<typeof setupSteps>[0]) => setupSteps(state).map((s) => s.done);

function chat(name: Chat["outcome"]["name"], ms?: number): Chat {
  return {
    id: "1",
    received_at: "",
    visitor_id: "v",
    outcome: { name, title: `${name}.`, message: "" },
    attempts: 1,
    sources: [],
    ms,
  };
}

describe("setupSteps", () => {
  it("ticks nothing before anything is known", () => {
    expect(done({})).toEqual([false, false, false, false]);
  });
  it("counts a source only once it has data or was checked", () => {
    expect(done({ sources: [{ ...source, status: "new" }] })[0]).toBe(false);
    expect(done({ sources: [{ ...source, status: "failing" }] })[0]).toBe(false);
    expect(done({ sources: [source] })[0]).toBe(true);
  });
  it("wants handshake, signed webhook and API key for LiveSupporti, and no pause", () => {
    expect(done({ desk })[2]).toBe(true);
    for (const less of [
      { handshake_at: undefined },
      { first_signed_at: undefined },
      { api_key_set: false },
      { paused: true },
    ]) {
      expect(done({ desk: { ...desk, ...less } })[2]).toBe(false);
    }
  });
  it("ends with a card that an agent saw", () => {
    expect(done({ desk, sources: [source], card: { version: 1, lines: [] }, shown: chat("shown", 41) })).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});

describe("verdict", () => {
  it("says how many had a card and how fast half of them were", () => {
    const chats = [chat("shown", 400), chat("shown_in_part", 100), chat("no_match"), chat("shown", 200)];
    expect(verdict(chats)).toBe("3 of the last 4\u00a0chats had a card, half within 200\u00a0ms");
  });
  it("does not speak of halves after one chat", () => {
    expect(verdict([chat("shown", 41)])).toBe("The last chat had its card in 41\u00a0ms");
    expect(verdict([chat("shown", 41), chat("no_email")])).toBe("1 of the last 2\u00a0chats had a card in 41\u00a0ms");
  });
  it("does not count what is still under way", () => {
    expect(verdict([chat("waiting"), chat("shown", 41)])).toBe("The last chat had its card in 41\u00a0ms");
    expect(verdict([chat("waiting")])).toBe("Ready for the first chat");
  });
  it("says it when none was shown", () => {
    expect(verdict([chat("refused")])).toBe("The last chat had no card");
    expect(verdict([chat("refused"), chat("no_email")])).toBe("No card was shown in the last 2\u00a0chats");
    expect(verdict([])).toBe("Ready for the first chat");
  });
});
