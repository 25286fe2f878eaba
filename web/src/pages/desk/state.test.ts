import { describe, expect, it } from "vitest";
import type { Chat, Desk } from "../../api/queries";
import { deskTitle, heard } from "./state";

const fresh: Desk = {
  callback_url: "https://x/hooks/t",
  secret_set: false,
  email: "",
  api_key_set: false,
  unsigned: "refuse",
  paused: false,
  goal_ms: 1000,
  deadline_seconds: 60,
};
const connected: Desk = {
  ...fresh,
  email: "d@b.se",
  api_key_set: true,
  secret_set: true,
  handshake_at: "2026-11-24T10:00:00Z",
  first_signed_at: "2026-11-24T10:01:00Z",
};
const shown: Chat = {
  id: "1",
  received_at: "2026-11-24T10:02:00Z",
  visitor_id: "v",
  outcome: { name: "shown", title: "", message: "" },
  ms: 412,
  attempts: 1,
  sources: [],
};
const states = (desk: Desk, ...rest: [Parameters<typeof heard>[1]?, Chat?]) =>
  heard(desk, rest[0], rest[1]).map((s) => s.state);

describe("heard", () => {
  it("waits for one thing at a time", () => {
    expect(states(fresh)).toEqual(["waiting", "later", "later", "later"]);
    expect(states({ ...connected, first_signed_at: undefined }, { ok: true, message: "Fine.", ms: 1 })).toEqual([
      "done",
      "done",
      "waiting",
      "later",
    ]);
  });
  it("is all ticks once a card was shown", () => {
    const signs = heard(connected, undefined, shown);
    expect(signs.map((s) => s.state)).toEqual(["done", "done", "done", "done"]);
    expect(signs[3]?.text).toBe("The agent saw it after 412\u00a0ms");
  });
  it("shows the last problem with its fix, between the ticks", () => {
    const problem = {
      at: "2026-11-24T10:00:30Z",
      code: "wrong_signature",
      message: "Another secret.",
      fix: "Copy it again.",
    };
    const signs = heard({ ...connected, first_signed_at: undefined, problem }, undefined, undefined);
    expect(signs[2]).toEqual({ state: "warn", title: "Another secret.", text: "Copy it again.", at: problem.at });
  });
  it("never ticks a key that was refused", () => {
    expect(states(connected, { ok: false, message: "Refused.", fix: "Copy it.", ms: 1 })[0]).toBe("bad");
    expect(states({ ...connected, paused: true }, undefined, shown)[0]).toBe("bad");
    expect(states(connected)[0]).toBe("waiting");
  });
});

describe("deskTitle", () => {
  it("says connected only when everything is there", () => {
    expect(deskTitle(connected)).toBe("LiveSupporti is connected");
    expect(deskTitle({ ...connected, api_key_set: false })).toBe("Connect LiveSupporti");
    expect(deskTitle({ ...connected, paused: true })).toBe("LiveSupporti refused the login");
  });
});
