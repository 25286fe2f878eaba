// Who is signed in. The access token lives in memory only; the refresh token, good for one use, is in a cookie that
// no script can read. It is exchanged by one tab at a time. A mark in the browser's storage says that there is one, and
// its end tells the other tabs.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.gen";
import { readProblem, unreachable } from "./problem";

export type Session = components["schemas"]["Session"];
export type Me = components["schemas"]["Me"];

const mark = "sidecard.signed-in";
const lockName = "sidecard.refresh";
const early = 30_000; // ms before its end that an access token is replaced

let access: { token: string; endsAt: number } | null = null;
let me: Me | null = null;
let renewing: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

// Calls without a token. fetch is looked up per call, so that a test can stand in for it.
const open = createClient<paths>({ baseUrl: baseUrl(), fetch: (request) => fetch(request) });

export function baseUrl(): string {
  return window.location.origin;
}

/** currentMe is the signed-in member; null when nobody is. */
export function currentMe(): Me | null {
  return me;
}

/** onSignedOut calls back when this tab's session has ended, here or in another tab. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** begin takes a fresh session, from signing up, in or from a renewal. */
export function begin(session: Session): void {
  access = { token: session.access_token, endsAt: Date.now() + session.expires_in * 1000 };
  me = session.me;
  localStorage.setItem(mark, "yes");
}

/** changed takes what the server said last of the signed-in member. */
export function changed(now: Me): void {
  me = now;
}

/** restore makes sure that somebody is signed in, by renewing when needed. It throws when the server cannot be asked. */
export async function restore(): Promise<boolean> {
  return (await accessToken()) !== null;
}

/** accessToken gives a token that is good for a while, or null when nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  if (access !== null && Date.now() < access.endsAt - early) return access.token;
  return (await renew()) && access !== null ? access.token : null;
}

/** renew exchanges the refresh token for a new pair. Calls at the same time share one exchange. */
export function renew(): Promise<boolean> {
  renewing ??= exclusively(exchange).finally(() => {
    renewing = null;
  });
  return renewing;
}

/** signOut ends the session here and on the server. The server not answering does not keep anyone signed in. */
export async function signOut(): Promise<void> {
  const signedIn = localStorage.getItem(mark) !== null;
  forget();
  if (signedIn) await open.POST("/api/v1/auth/signout", { body: {} }).catch(() => undefined);
}

async function exchange(): Promise<boolean> {
  if (localStorage.getItem(mark) === null) {
    forget();
    return false;
  }
  const answer = await open.POST("/api/v1/auth/refresh", { body: {} }).catch(() => {
    throw unreachable();
  });
  if (answer.data !== undefined) {
    const before = me;
    begin(answer.data);
    if (before !== null && (before.user.id !== me?.user.id || before.tenant.id !== me.tenant.id)) {
      window.location.reload(); // somebody else signed in, in another tab: nothing on this page is theirs
    }
    return true;
  }
  const problem = readProblem(answer.response.status, answer.error);
  if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
    forget();
    return false;
  }
  throw problem;
}

async function exclusively(work: () => Promise<boolean>): Promise<boolean> {
  // Without a secure context there are no locks; then only this tab is kept from asking twice.
  return "locks" in navigator ? await navigator.locks.request(lockName, work) : await work();
}

function forget(): void {
  const was = me !== null;
  access = null;
  me = null;
  localStorage.removeItem(mark);
  if (was) listeners.forEach((listener) => listener());
}

window.addEventListener("storage", (event) => {
  if (event.key === mark && event.newValue === null && me !== null) forget();
});
