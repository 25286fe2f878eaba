// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "./session";

const key = "sidecard.signed-in";

function session(n: number, expires_in = 600): Session {
  return {
    access_token: `access-${n}`,
    token_type: "Bearer",
    expires_in,
    me: {
      user: { id: "u", name: "Dana", email: "dana@b.se", second_factor: false },
      tenant: { id: "t", name: "B" },
      role: "owner",
      tenants: [{ tenant: { id: "t", name: "B" }, role: "owner" }],
    },
  };
}

function answer(status: number, body?: unknown): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json" },
  });
}

// Plays the server, which knows the browser by its cookie: the n-th exchange answers with the n-th pair.
function server() {
  const calls: { path: string; token: string | null; body: string }[] = [];
  let next = 1;
  const fetching = vi.fn(async (request: Request) => {
    const path = new URL(request.url).pathname.replace("/api/v1", "");
    calls.push({ path, token: request.headers.get("Authorization"), body: await request.text() });
    if (path === "/auth/signout") return answer(204);
    if (path === "/auth/refresh") return answer(200, session(++next));
    return answer(200, {});
  });
  vi.stubGlobal("fetch", fetching);
  return { calls, fetching, exchanges: () => calls.filter((c) => c.path === "/auth/refresh").length };
}

let sessions: typeof import("./session");

beforeEach(async () => {
  vi.unstubAllGlobals();
  vi.resetModules(); // each test is a tab of its own
  localStorage.clear();
  sessions = await import("./session");
});

describe("a session", () => {
  it("keeps no token in the browser's storage", () => {
    sessions.begin(session(1));
    expect(JSON.stringify({ ...localStorage })).toBe(`{"${key}":"yes"}`);
    expect(sessions.currentMe()?.user.name).toBe("Dana");
  });

  it("is restored with one exchange, however many ask at once", async () => {
    const { exchanges, calls } = server();
    localStorage.setItem(key, "yes");
    expect(await Promise.all([sessions.restore(), sessions.accessToken(), sessions.accessToken()])).toEqual([
      true,
      "access-2",
      "access-2",
    ]);
    expect(exchanges()).toBe(1);
    expect(calls[0]?.body).toBe("{}"); // the cookie says the rest
  });

  it("is renewed before the access token ends", async () => {
    const { exchanges } = server();
    sessions.begin(session(1, 20));
    expect(await sessions.accessToken()).toBe("access-2");
    expect(await sessions.accessToken()).toBe("access-2");
    expect(exchanges()).toBe(1);
  });

  it("asks the server for nothing when nobody signed in here", async () => {
    const { calls } = server();
    expect(await sessions.restore()).toBe(false);
    expect(calls).toEqual([]);
  });

  it("ends when the refresh token is refused, and says so", async () => {
    const { fetching } = server();
    const ended = vi.fn();
    sessions.onSignedOut(ended);
    sessions.begin(session(1, 0));
    fetching.mockResolvedValueOnce(answer(401, { code: "invalid_token", detail: "Ended.", status: 401 }));
    expect(await sessions.accessToken()).toBeNull();
    expect(ended).toHaveBeenCalledOnce();
    expect(localStorage.getItem(key)).toBeNull();
  });

  it("survives a server that is away or overloaded", async () => {
    const { fetching } = server();
    localStorage.setItem(key, "yes");
    fetching.mockRejectedValueOnce(new TypeError("network"));
    await expect(sessions.restore()).rejects.toMatchObject({ code: "unreachable" });
    fetching.mockResolvedValueOnce(answer(503, { code: "unavailable", detail: "Soon.", status: 503 }));
    await expect(sessions.restore()).rejects.toMatchObject({ status: 503 });
    fetching.mockResolvedValueOnce(answer(429, { code: "too_many", detail: "Slowly.", status: 429 }));
    await expect(sessions.restore()).rejects.toMatchObject({ status: 429 });
    expect(localStorage.getItem(key)).toBe("yes");
    expect(await sessions.restore()).toBe(true);
  });

  it("ends here when it was ended in another tab", () => {
    const ended = vi.fn();
    sessions.onSignedOut(ended);
    sessions.begin(session(1));
    window.dispatchEvent(new StorageEvent("storage", { key, newValue: null }));
    expect(ended).toHaveBeenCalledOnce();
    expect(sessions.currentMe()).toBeNull();
  });

  it("signs out on the server, too", async () => {
    const { calls } = server();
    sessions.begin(session(1));
    await sessions.signOut();
    expect(calls).toEqual([{ path: "/auth/signout", token: null, body: "{}" }]);
    expect(localStorage.getItem(key)).toBeNull();
  });
});

describe("the client", () => {
  it("sends the token, and renews it once when it is refused", async () => {
    const { calls, fetching } = server();
    sessions.begin(session(1));
    const { api, data } = await import("./client");
    fetching.mockResolvedValueOnce(answer(401, { code: "not_signed_in", detail: "Ended.", status: 401 }));
    await data(api.PATCH("/api/v1/desk", { body: { email: "d@b.se" } }));
    expect(calls.map((c) => [c.path, c.token])).toEqual([
      ["/auth/refresh", null],
      ["/desk", "Bearer access-2"],
    ]);
    expect(calls[1]?.body).toBe('{"email":"d@b.se"}'); // the body is sent again, whole
  });

  it("throws the problem of a refusal", async () => {
    const { fetching } = server();
    sessions.begin(session(1));
    const { api, data } = await import("./client");
    fetching.mockResolvedValueOnce(
      answer(409, {
        code: "conflict",
        detail: "Somebody was faster.",
        status: 409,
        title: "Conflict",
        type: "about:blank",
      }),
    );
    await expect(data(api.GET("/api/v1/card"))).rejects.toMatchObject({ message: "Somebody was faster.", status: 409 });
  });
});
