// @ts-check
// Everything that people, files and visitors can name is named like a script, and every page that shows it is opened:
// the names stand there as text, no element was made of them, and nothing ran.
import assert from "node:assert/strict";

const mark = "data-smuggled";
/** Ways out of text, attributes, URLs and templates; each would call window.smuggled. */
const payloads = [
  `<img src=x ${mark} onerror=smuggled(1)>`,
  `"'><svg ${mark} onload=smuggled(2)>`,
  `</script><script ${mark}>smuggled(3)</script>`,
  `<a ${mark} href=javascript:smuggled(4)>`,
  `[b](javascript:smuggled(5))<b ${mark}>`,
];
const visitor = "scripts@lindqvist.se";

/** @typedef {import("playwright-core").Page} Page */

/**
 * @param {object} story
 * @param {Page} story.page signed in as the one with the address and password
 * @param {Page} story.agent
 * @param {import("./server.mjs").Server} story.server
 * @param {string} story.email
 * @param {string} story.password
 * @param {string} story.account the LiveSupporti account that is connected
 */
export async function nameAllLikeScripts({ page, agent, server, email, password, account }) {
  /** @type {string[]} */
  const ran = [];
  for (const p of [page, agent]) {
    p.on("dialog", (d) => void (ran.push(d.message()), d.dismiss()));
    await p.exposeFunction("smuggled", (/** @type {number} */ n) => ran.push(`payload ${n} on ${p.url()}`));
  }
  const made = await name(server, { email, password, account });
  for (const [path, shown] of /** @type {[string, number][]} */ ([
    ["/", 1],
    ["/chats", 1],
    [`/chats/${made.chat}`, payloads.length],
    ["/sources", 1],
    [`/sources/${made.list}`, payloads.length],
    [`/csv/${made.list}`, payloads.length],
    ["/card", payloads.length],
    ["/livesupporti", 1],
    ["/settings/account", 1],
    ["/settings/team", 1],
    ["/settings/tenant", 1],
    ["/settings/tokens", 1],
    ["/settings/audit", 1],
  ])) {
    await page.goto(server.portal + path);
    await clean(page, shown);
  }
  await agent.bringToFront();
  await agent.goto(`${server.simulator}/#/`);
  await agent.locator("#agent-card .card-row").first().waitFor();
  await clean(agent, payloads.length);
  await agent.goto(`${server.mailbox}/mailbox`);
  await clean(agent, 0);
  await page.bringToFront();
  assert.deepEqual(ran, [], "no script ran");
}

/**
 * Waits until so many of the payloads are there to be read, and finds none of them as an element.
 * @param {Page} page
 * @param {number} shown
 */
async function clean(page, shown) {
  await page.waitForFunction(
    ({ payloads, shown }) => {
      const text = document.body.innerText + [...document.querySelectorAll("input")].map((i) => i.value).join();
      return payloads.filter((p) => text.includes(p)).length >= shown;
    },
    { payloads, shown },
  );
  assert.equal(await page.locator(`[${mark}]`).count(), 0, `nothing was made of a name on ${page.url()}`);
}

/**
 * @param {import("./server.mjs").Server} server
 * @param {{ email: string, password: string, account: string }} who
 */
async function name(server, { email, password, account }) {
  const [first] = payloads;
  /** @type {Record<string, string>} */
  const headers = {};
  const call = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ body) => {
    const text = typeof body === "string";
    const answer = await fetch(path.startsWith("http") ? path : `${server.portal}/api/v1${path}`, {
      method,
      headers: { ...headers, "Content-Type": text ? "text/csv" : "application/json" },
      body: text ? body : JSON.stringify(body),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  };
  const session = await call("POST", "/auth/signin", { email, password });
  headers["Authorization"] = `Bearer ${session.access_token}`;
  await call("PATCH", "/me", { name: first });
  await call("PATCH", "/tenant", { name: first });
  await call("POST", "/tokens", { name: first, scopes: ["chats:read"], expires_in_days: 1 });
  const list = await call("POST", "/connections", { kind: "csv", name: first, settings: {} });
  const cell = (/** @type {string} */ s) => `"${s.replaceAll('"', '""')}"`;
  const columns = payloads.map((p) => cell(p)).join(",");
  await call(
    "POST",
    `/connections/${list.id}/import`,
    `email,${columns}\n${visitor},${columns}\n${cell("no " + first)},${columns}\n`,
  );
  const { fields } = await (await fetch(`${server.portal}/api/v1/connections/${list.id}/fields`, { headers })).json();
  const lines = fields
    .filter((/** @type {{ id: string }} */ f) => f.id !== "email")
    .map((/** @type {{ id: string }} */ f, /** @type {number} */ i) => ({
      label: payloads[i],
      connection_id: list.id,
      field: f.id,
      format: "text",
      hide_if_empty: false,
    }));
  await call("PUT", "/card", { lines });
  const chat = await call("POST", `${server.simulator}/sim/chats`, {
    account,
    id: payloads[1],
    email: visitor,
    name: first,
    message: payloads[2],
  });
  await fetch(`${server.simulator}/sim/chats/${chat.id}?wait=shown`);
  const { chats } = await (await fetch(`${server.portal}/api/v1/chats`, { headers })).json();
  return { list: list.id, chat: chats[0].id };
}
