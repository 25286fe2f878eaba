// @ts-check
// Looks at every screen on made-up data (mock/data.ts): a picture of each, light and dark, wide and narrow, and
// no accessibility violation. Pictures go to build/look. Run: npm run look [part of a name].
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { listen, startBrowser, visit } from "./browser.mjs";

const folder = path.resolve(fileURLToPath(import.meta.url), "../../../build/look");
const only = process.argv[2] ?? "";
const connection = "0192f3a4-7c1e-7000-8000-00000000000a";
const csv = "0192f3a4-7c1e-7000-8000-00000000000b";
const id = (/** @type {number} */ n) => `0192f3a4-7c1e-7000-8000-${n.toString(16).padStart(12, "0")}`;
const chat = (/** @type {number} */ n) => `/chats/${id(100 + n)}`;

/** @typedef {import("playwright-core").Page} Page */
/** @type {{ name: string, as?: string, path: string, until: string, then?: (page: Page) => Promise<unknown> }[]} */
const screens = [
  { name: "signup", path: "/signup", until: "h1" },
  {
    name: "signup-taken",
    path: "/signup",
    until: "h1",
    then: async (page) => {
      await page.getByLabel("Company").fill("Brightwater Bikes");
      await page.getByLabel("Your name").fill("Dana Okafor");
      await page.getByLabel("Work e-mail").fill("taken@example.com");
      await page.getByLabel("Password", { exact: true }).fill("trekker in the rain");
      await page.getByRole("button", { name: "Create your account" }).click();
      await page.getByText("Sign in instead").waitFor();
    },
  },
  { name: "signin", path: "/signin", until: "h1" },
  { name: "home-new", as: "new", path: "/", until: "text=Connect your data" },
  { name: "home", as: "dana", path: "/", until: "text=Latest chats" },
  { name: "chats", as: "dana", path: "/chats", until: "text=Refused by LiveSupporti" },
  { name: "chats-new", as: "new", path: "/chats", until: "text=No chats yet" },
  { name: "chat-shown", as: "dana", path: chat(2), until: "text=Agent sees it" },
  { name: "chat-refused", as: "dana", path: chat(6), until: "text=Agent sees it" },
  { name: "chat-nomatch", as: "dana", path: chat(3), until: "text=Agent sees it" },
  { name: "chat-waiting", as: "dana", path: chat(0), until: "text=Agent sees it" },
  { name: "chat-retrying", as: "dana", path: chat(15), until: "text=Next try at" },
  { name: "chat-replayed", as: "dana", path: chat(6), until: "text=2 replays" },
  { name: "chat-replay", as: "dana", path: `/chats/${id(0x10002)}`, until: "text=the chat of" },
  {
    name: "chat-dry-run",
    as: "dana",
    path: chat(6),
    until: "text=Agent sees it",
    then: async (page) => {
      await page.getByRole("button", { name: "Dry run" }).click();
      await page.getByText("Nothing was sent. It took").waitFor();
    },
  },
  {
    name: "replay",
    as: "dana",
    path: "/chats",
    until: "text=Refused by LiveSupporti",
    then: async (page) => {
      await page.getByRole("checkbox", { name: /^Select all/ }).check();
      await page.getByRole("button", { name: /^Replay \d+\schats with card v7$/ }).click();
      await page.getByRole("heading", { name: "Left out" }).waitFor();
    },
  },
  {
    name: "replay-progress",
    as: "dana",
    path: "/chats?outcome=shown&time=week",
    until: "text=Replay all that match the filter",
    then: async (page) => {
      await page.getByRole("button", { name: "Replay all that match the filter" }).click();
      await page.getByRole("switch", { name: /^Also chats/ }).check();
      await page.getByText("3 chats will be replayed.").waitFor();
      await page.getByRole("button", { name: "Replay 3 chats" }).click();
      await page.getByText("All have ended: 3 shown.").waitFor();
    },
  },
  { name: "card", as: "dana", path: "/card", until: "text=Preview, v7" },
  {
    name: "card-edit",
    as: "dana",
    path: "/card",
    until: "text=Preview, v7",
    then: async (page) => {
      await page.getByRole("button", { name: /^Last order/ }).click();
      await page.getByLabel("Label").fill("Newest order");
      await page.getByText("Preview, draft v8").waitFor();
      await page.getByText("was called Last order").waitFor();
    },
  },
  { name: "card-new", as: "new", path: "/card", until: "text=no data to choose" },
  { name: "sources", as: "dana", path: "/sources", until: "text=Loyalty list" },
  { name: "sources-new", as: "new", path: "/sources", until: "text=Nothing is connected" },
  { name: "sources-add", as: "dana", path: "/sources/add", until: "text=CSV file" },
  {
    name: "source-form",
    as: "dana",
    path: "/sources/add/postgres",
    until: "text=A login that can only read",
    then: async (page) => {
      await page.getByLabel("Host").fill("https://db");
      await page.getByRole("button", { name: "Connect and check" }).click();
      await page.getByText("This is needed.").first().waitFor();
    },
  },
  {
    name: "source",
    as: "dana",
    path: `/sources/${connection}`,
    until: "text=The login may also write",
    then: async (page) => {
      await page.getByLabel("A customer’s e-mail").fill("maya@lindqvist.se");
      await page.getByRole("button", { name: "Ask" }).click();
      await page.getByText("Found in").waitFor();
    },
  },
  { name: "csv-new", as: "new", path: "/csv", until: "text=No list yet" },
  { name: "csv", as: "dana", path: "/csv", until: "text=Loyalty list" },
  { name: "csv-list", as: "dana", path: `/csv/${csv}`, until: "text=How we read it" },
  { name: "livesupporti", as: "dana", path: "/livesupporti", until: "text=Another secret" },
  {
    name: "livesupporti-new",
    as: "new",
    path: "/livesupporti",
    until: "text=Listening",
    then: async (page) => {
      await page.getByRole("button", { name: "Make a secret" }).click();
      await page.getByText("Secret, 48 characters").waitFor();
    },
  },
  { name: "missing", path: "/nowhere", until: "h1" },
];

const server = await createServer({
  mode: "mock",
  root: path.resolve(fileURLToPath(import.meta.url), "../.."),
  logLevel: "error",
  server: { port: 0 },
});
await server.listen();
const origin = server.resolvedUrls?.local[0]?.replace(/\/$/, "") ?? "";
const { browser, end } = await startBrowser();
/** @type {string[]} */
const complaints = [];
try {
  for (const [size, viewport] of /** @type {const} */ ([
    ["wide", { width: 1440, height: 900 }],
    ["narrow", { width: 390, height: 844 }],
  ])) {
    for (const screen of screens.filter((s) => `${s.name} ${size}`.includes(only))) {
      const context = await browser.newContext({ viewport, reducedMotion: "reduce" });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      listen(page, complaints);
      if (screen.as !== undefined)
        await page.addInitScript(
          (token) => localStorage.setItem("sidecard.refresh", token),
          screen.as === "new" ? "new" : "full",
        );
      await page.goto(origin + screen.path);
      await page
        .locator(screen.until)
        .first()
        .waitFor()
        .then(() => screen.then?.(page))
        .catch((err) => complaints.push(`${screen.name}, ${size}: ${err.message}`));
      await visit(page, folder, `${screen.name}-${size}`, complaints);
      await context.close();
    }
  }
} finally {
  await end();
  await server.close();
}
if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  process.exitCode = 1;
} else {
  console.log(`Looked at ${screens.length} screens: ${folder}`);
}
