// @ts-check
// The newcomer's way, in a real browser on the real server: from signing up to a card on the agent's screen.
// Every page on the way is checked for accessibility, light and dark, and pictured in build/story. Run: npm run story.
import assert from "node:assert/strict";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { listen, startBrowser, visit } from "./browser.mjs";
import { connectHubSpot, pickField } from "./hubspot.mjs";
import { nameAllLikeScripts } from "./scripts.mjs";
import { startServer } from "./server.mjs";

const folder = path.resolve(fileURLToPath(import.meta.url), "../../../build/story");
const email = `dana.${Date.now()}@brightwater-bikes.example`;
const password = "trekker in the rain";
const visitor = "maya@lindqvist.se";
const file = {
  name: "loyalty-list.csv",
  mimeType: "text/csv",
  buffer: Buffer.from(
    "email;name;plan;last order;bought so far\n" +
      'maya@lindqvist.se;Maya Lindqvist;Care Plus;"#48210; Trekker 5";4310.00\n' +
      "jo@ridgeway.co.uk;Joanna Reed;Basic;#48102;1190.00\n" +
      "no address;Karel van den Berg;Basic;;\n",
  ),
};
const wanted = [
  ["Name", "Maya Lindqvist"],
  ["Tariff", "Care Plus"],
  ["Bought so far", "4,310.00"],
  ["Last order", "#48210; Trekker 5"],
];

/** @typedef {import("playwright-core").Page} Page */
/** @type {string[]} */
const complaints = [];
const server = await startServer();
const { browser, end } = await startBrowser();
const context = await browser.newContext({
  viewport: { width: 1440, height: 900 },
  permissions: ["clipboard-read", "clipboard-write"],
});
context.setDefaultTimeout(20_000);
const agent = await context.newPage();
const page = await context.newPage(); // the last one opened is in front; a page behind draws seldom
listen(page, complaints);
listen(agent, complaints);
const began = Date.now();
try {
  await step("sign up", signUp);
  await step("upload a CSV file", uploadFile);
  await step("upload a file that is none, and remove it", uploadWrongFile);
  await step("make the card", makeCard);
  const secret = await step("make the secret and store the credentials", prepareDesk);
  await step("add the WebHook in LiveSupporti", () => addWebHook(secret));
  const seen = await step("start a chat", startChat);
  await step("see it ticked off", everythingTicked);
  await step("read the chat's page", () => readChat(seen));
  await step("replay the chat, after a dry run", replayChat);
  await step("connect HubSpot", () => connectHubSpot({ page, folder, look, visitor }));
  await step("pick one of its fields", () => pickField({ page, look, visitor }));
  await step("look at the other pages", otherPages);
  await step("invite a colleague, who joins", inviteColleague);
  await step("make an API token, and see it all in the audit log", makeToken);
  await step("sign out and in again", signInAgain);
  await step("name everything like a script", async () => {
    const { email: account } = await simulatedAccount();
    await nameAllLikeScripts({ page, agent, server, email, password, account });
  });
  assert.deepEqual(complaints, [], "the pages complained");
  console.log(`The story ended well after ${((Date.now() - began) / 1000).toFixed(1)} s; pictures in build/story.`);
} catch (err) {
  console.error(`\nThe story broke at ${page.url()}\n`);
  console.error(err instanceof Error ? err.message : err);
  if (complaints.length > 0) console.error(`\nBefore that:\n${complaints.join("\n")}`);
  await page.screenshot({ path: path.join(folder, "broken-portal.png"), fullPage: true }).catch(() => undefined);
  await agent.screenshot({ path: path.join(folder, "broken-console.png"), fullPage: true }).catch(() => undefined);
  process.exitCode = 1;
} finally {
  await end();
  await server.stop();
}

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 */
async function step(name, work) {
  const from = Date.now();
  const result = await work();
  console.log(`  ${name}: ${Date.now() - from} ms`);
  return result;
}

/** @param {string} name */
function look(name) {
  return visit(page, folder, name, complaints);
}

/** @param {string} name */
function heading(name) {
  return page.getByRole("heading", { level: 1, name });
}

async function signUp() {
  await page.goto(server.portal);
  await heading("Know who is chatting").waitFor();
  await look("01-signup");
  await page.getByLabel("Company").fill("Brightwater Bikes");
  await page.getByLabel("Your name").fill("Dana Okafor");
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create your account" }).click();
  await heading("Check your mail").waitFor();
  await look("01-check-mail");
  await page.goto(await mailedLink("confirm_sign_up"));
  await page.getByRole("button", { name: "Create my account" }).waitFor();
  assert.equal(new URL(page.url()).search, "", "the link's token stayed in the address bar");
  await look("01-confirm");
  await page.getByRole("button", { name: "Create my account" }).click();
  await heading("Welcome, Dana. Four steps to the first card").waitFor();
  await look("02-home");
}

/**
 * Waits for a mail and gives its link.
 * @param {string} kind
 * @param {string} [to]
 */
async function mailedLink(kind, to = email) {
  for (let tries = 0; tries < 100; tries++) {
    const mails = await (await fetch(`${server.mailbox}/mailbox/mails.json`)).json();
    const mail = mails.find((/** @type {any} */ m) => m.to === to && m.kind === kind);
    const link = mail && /https?:\/\/\S+token=\S+/.exec(mail.text);
    if (link) return link[0];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail ${kind} came`);
}

async function uploadFile() {
  await page.getByRole("link", { name: "Connect your data" }).last().click();
  await heading("What knows your customers?").waitFor();
  await look("03-connect-a-source");
  await page.getByRole("link", { name: /CSV/ }).last().click();
  await page.getByText("No list yet").waitFor();
  await look("04-csv-empty");
  await page.getByLabel("Drop a file, or choose one").last().setInputFiles(file);
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  await page.getByText("1 rejected").waitFor();
  await page.getByRole("textbox", { name: "A customer’s e-mail" }).fill(visitor);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("Found in").waitFor();
  await look("05-csv-imported");
}

async function uploadWrongFile() {
  await main("CSV data").click();
  await page
    .getByLabel("Drop a file for another list, or choose one")
    .last()
    .setInputFiles({ name: "phones.csv", mimeType: "text/csv", buffer: Buffer.from("name;phone\nMaya;1\n") });
  await page.getByText("phones.csv was not imported").waitFor();
  await look("05b-csv-refused");
  await main("Sources").click();
  await page.getByRole("link", { name: "Upload a file for Phones" }).waitFor();
  await look("05c-sources-empty-list");
  await page.getByRole("link", { name: "Upload a file for Phones" }).click();
  await page.getByText("No data yet.").waitFor();
  await page.getByRole("button", { name: "remove the list" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await heading("Sources").waitFor();
  await page.getByRole("link", { name: "Phones" }).first().waitFor({ state: "detached" });
}

async function makeCard() {
  await main("CSV data").click();
  await page.getByRole("link", { name: "Loyalty list" }).click();
  await page.getByRole("link", { name: "Make the card" }).click();
  await page.getByRole("button", { name: /^Start with 4/ }).click();
  await page.getByText("Preview, draft v1").waitFor();
  await page.getByRole("button", { name: /^Plan/ }).click();
  await page.getByLabel("Label").fill("Tariff");
  await page.getByRole("button", { name: /^Bought so far/ }).click();
  await page.getByRole("combobox", { name: "Format" }).click();
  await page.getByRole("option", { name: "Number" }).click();
  await page.getByRole("button", { name: "Move up" }).click();
  const card = page.getByRole("region", { name: "The card. Preview, draft v1" });
  await card.locator("dl > div").nth(1).getByText("4,310.00").waitFor();
  assert.deepEqual(await cardRows(card), wanted, "the preview shows the chosen fields");
  await look("06-card");
  await page.getByRole("button", { name: "Publish v1" }).click();
  await page.getByText("Agents see v1").waitFor();
}

async function prepareDesk() {
  const account = await simulatedAccount();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "LiveSupporti" }).click();
  await heading("Connect LiveSupporti").waitFor();
  await page.getByLabel("LiveSupporti sign-in e-mail").fill(account.email);
  await page.getByLabel("API key, from your LiveSupporti profile").fill(`${account.apiKey}-mistyped`);
  await page.getByRole("button", { name: "Save and test" }).click();
  await page.getByText("refused the e-mail or the API key").first().waitFor();
  await page.getByLabel("API key, from your LiveSupporti profile").fill(account.apiKey);
  await page.getByRole("button", { name: "Save and test" }).click();
  await sign("Done:", "API key works").waitFor();
  await page.getByRole("button", { name: "Make a secret" }).click();
  await page.getByRole("button", { name: "Copy the secret" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const secret = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(secret, /^[!-~]{32,64}$/, "LiveSupporti takes the secret");
  await look("07-livesupporti-listening");
  return secret;
}

/** @param {string} secret */
async function addWebHook(secret) {
  const address = await page.getByRole("group", { name: "Callback URI" }).innerText();
  await agent.bringToFront();
  await agent.goto(`${server.simulator}/#/webhooks`);
  await agent.locator("#webhook-url").fill(address.trim());
  await agent.locator("#webhook-secret").fill(secret);
  await agent.locator("#webhook-create").click();
  await agent.getByText("Created. The callback sent the echo back.").waitFor();
  await page.bringToFront();
  await sign("Done:", "Handshake received").waitFor();
}

async function startChat() {
  await agent.bringToFront();
  await agent.goto(`${server.simulator}/#/`);
  await agent.locator("#start-email").fill(visitor);
  await agent.locator("#start-chat").click();
  await agent.locator("#agent-card .card-row").nth(3).waitFor();
  const rows = await agent
    .locator("#agent-card .card-row")
    .evaluateAll((all) =>
      all.map((row) => [row.querySelector("dt")?.textContent, row.querySelector("dd")?.textContent]),
    );
  assert.deepEqual(rows, wanted, "the agent sees the chosen fields");
  await agent.screenshot({ path: path.join(folder, "08-agent-console.png") });
  const after = (await agent.locator("#card-ms").innerText()).trim();
  await page.bringToFront();
  return after;
}

async function everythingTicked() {
  await sign("Done:", "First signed webhook").waitFor();
  await sign("Done:", "First card shown").waitFor();
  await heading("LiveSupporti is connected").waitFor();
  await look("09-livesupporti-connected");
  await main("Home").click();
  await heading("The last chat had its card in").waitFor();
  await look("10-home-done");
}

/** @param {string} seenAfter */
async function readChat(seenAfter) {
  await main("Chats").click();
  await heading("Chats").waitFor();
  await page.getByRole("row", { name: /m…@lindqvist\.se.*Shown/ }).waitFor();
  await look("11-chats");
  await page
    .getByRole("row", { name: /m…@lindqvist\.se.*Shown/ })
    .getByRole("link")
    .click();
  await heading("Details shown to the agent in").waitFor();
  const card = page.getByRole("region", { name: /^The card\. Seen after/ });
  assert.deepEqual(await cardRows(card), wanted, "the page shows what the agent saw");
  await page.getByRole("table", { name: "Where the time went" }).getByText("Agent sees it").waitFor();
  await look("12-chat");
  await page.getByRole("tab", { name: "Request" }).click();
  await page.getByText('"VisitorId"').waitFor();
  console.log(
    `    the agent's console said ${seenAfter}; the page says: ${await page.getByRole("heading", { level: 1 }).innerText()}`,
  );
}

async function replayChat() {
  await page.getByRole("button", { name: "Dry run" }).click();
  const dryRun = page.getByRole("dialog", { name: "Dry run" });
  await dryRun.getByText("Nothing was sent. It took").waitFor();
  await dryRun.getByText("Every line is the same.").waitFor();
  const card = dryRun.getByRole("region", { name: "The card. Dry run, card v1" });
  assert.deepEqual(await cardRows(card), wanted, "a dry run draws what a replay would send");
  await look("12b-dry-run");
  await dryRun.getByRole("button", { name: "Replay" }).click();
  const question = page.getByRole("dialog", { name: "Replay" });
  await question.getByText("1\u00a0chat will be replayed.").waitFor();
  await question.getByRole("button", { name: "Replay 1\u00a0chat" }).click();
  await page.getByText("All have ended: 1 shown.").waitFor();
  await page.getByRole("table", { name: "Replays of this chat" }).getByText("Shown").waitFor();
  await look("12c-chat-replayed");
  await page
    .getByRole("row", { name: /Shown Dana Okafor/ })
    .getByRole("link")
    .click();
  await page.getByText(/^Replay of the chat of .* by Dana Okafor\.$/).waitFor();
  await heading("Details shown to the agent in").waitFor();
  await agent.bringToFront();
  const sent = agent.locator("#agent-card .card-row");
  assert.equal(await sent.count(), wanted.length, "the agent still sees one card");
  await page.bringToFront();
}

async function otherPages() {
  await main("Sources").click();
  await heading("Sources").waitFor();
  await page.getByRole("link", { name: "Loyalty list" }).waitFor();
  await look("13-sources");
  await page.getByRole("link", { name: "Loyalty list" }).click();
  await heading("Loyalty list").waitFor();
  await page.getByRole("cell", { name: "bought so far" }).first().waitFor();
  await look("14-source");
  await page.goto(`${server.portal}/sources/add/postgres`);
  await heading("Connect PostgreSQL").waitFor();
  await look("15-connect-postgres");
  await main("Card").click();
  await page.getByText("Agents see v1").waitFor();
  await page.getByRole("button", { name: "Versions" }).click();
  await page.getByRole("dialog").getByText("In use").waitFor();
  await look("16-card-versions");
  await page.goto(`${server.portal}/docs`);
  await page.getByRole("heading", { level: 3, name: "Publish a new version" }).click();
  await page.getByText("based_on").first().waitFor();
  await look("17-api");
}

async function inviteColleague() {
  const colleague = `lee.${email}`;
  await page.goto(server.portal);
  await main("Team").click();
  await heading("Team").waitFor();
  await page.getByRole("button", { name: "Invite somebody" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/e-mail/i).fill(colleague);
  await dialog.getByRole("button", { name: "Send the invitation" }).click();
  await dialog.getByRole("button", { name: "Done" }).click();
  await page.getByRole("cell", { name: colleague }).first().waitFor();
  await look("18-team");
  const elsewhere = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const guest = await elsewhere.newPage();
    listen(guest, complaints);
    await guest.goto(await mailedLink("invitation", colleague));
    await guest.getByRole("heading", { level: 1, name: "Join Brightwater Bikes" }).waitFor();
    await visit(guest, folder, "19-invitation", complaints);
    await guest.getByLabel("Your name").fill("Lee Park");
    await guest.getByLabel("Choose a password", { exact: true }).fill("umbrella under the bridge");
    await guest.getByRole("button", { name: "Join" }).click();
    await guest.getByRole("button", { name: /Lee Park/ }).waitFor();
  } finally {
    await elsewhere.close();
  }
  await page.reload();
  await page
    .getByRole("cell", { name: /Lee Park/ })
    .first()
    .waitFor();
}

async function makeToken() {
  await main("API tokens").click();
  await heading("API tokens").waitFor();
  await page.getByRole("button", { name: "New token" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Reports");
  await dialog.getByRole("checkbox").first().check();
  await dialog.getByRole("button", { name: "Make the token" }).click();
  await dialog.getByText(/sct_/).first().waitFor();
  await look("20-token");
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await main("Company").click();
  await heading("Company").waitFor();
  await look("21-company");
  await main("Audit log").click();
  await page.getByText("Made an API token").first().waitFor();
  await page.getByRole("button", { name: "Verify" }).click();
  await look("22-audit");
  await page.goto(`${server.portal}/settings/account`);
  await heading("Your account").waitFor();
  await look("23-account");
}

async function signInAgain() {
  await page.goto(server.portal);
  await page.getByRole("button", { name: /Dana Okafor/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await heading("Welcome back").waitFor();
  await look("24-signin");
  await page.goto(`${server.portal}/chats`);
  await heading("Welcome back").waitFor();
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill("not the password at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Not signed in").waitFor();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await heading("Chats").waitFor();
  await page.reload(); // the session outlives the page
  const replay = page.getByRole("row", { name: /m…@lindqvist\.se/ }).filter({ hasText: "Replay" });
  await replay.waitFor(); // of the chat and its replay, it alone says so
}

/** @param {string} name */
function main(name) {
  return page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true });
}

/**
 * A line of the page's ear, with its state as it is spoken.
 * @param {string} state
 * @param {string} title
 */
function sign(state, title) {
  return page
    .getByRole("complementary")
    .getByRole("listitem")
    .filter({ has: page.getByRole("img", { name: state }), hasText: title });
}

/** @param {import("playwright-core").Locator} card */
async function cardRows(card) {
  const name = await card.locator("header p").first().innerText();
  const rows = await card
    .locator("dl > div")
    .evaluateAll((all) =>
      all.map((row) => [row.querySelector("dt")?.textContent, row.querySelector("dd")?.textContent]),
    );
  return [["Name", name], ...rows];
}

/** The account that the simulated LiveSupporti has: what a newcomer reads on its WebHooks page. */
async function simulatedAccount() {
  await agent.goto(`${server.simulator}/#/webhooks`);
  const facts = agent.locator("#account-list dl");
  await facts.first().waitFor();
  const texts = await facts.first().locator("dd").allInnerTexts();
  const [address, apiKey] = texts.map((t) => t.trim());
  assert.ok(address && apiKey, "the simulated LiveSupporti has an account");
  return { email: address, apiKey };
}
