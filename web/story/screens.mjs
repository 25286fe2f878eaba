// @ts-check
// Every screen in every state that made-up data can bring it into.

const id = (/** @type {number} */ n) => `0192f3a4-7c1e-7000-8000-${n.toString(16).padStart(12, "0")}`;
const [postgres, csv, hubspot, ended, empty, unknown] = [10, 11, 13, 14, 15, 16].map(id);
const chat = (/** @type {number} */ n) => `/chats/${id(100 + n)}`;

/** @typedef {import("playwright-core").Page} Page */
/**
 * @typedef {object} Screen
 * @property {string} name
 * @property {string} [as] who is signed in: new has nothing yet, viewer, member and admin have that role, dana owns it all
 * @property {string} [login] the source whose login was begun in this tab
 * @property {string} path
 * @property {string} until what is there once the page is
 * @property {(page: Page) => Promise<unknown>} [then]
 */
/** @type {Screen[]} */
export const screens = [
  { name: "signup", path: "/signup", until: "h1" },
  {
    name: "check-mail",
    path: "/signup",
    until: "h1",
    then: async (page) => {
      await page.getByLabel("Company").fill("Brightwater Bikes");
      await page.getByLabel("Your name").fill("Dana Okafor");
      await page.getByLabel("Work e-mail").fill("dana@brightwater-bikes.com");
      await page.getByLabel("Password", { exact: true }).fill("trekker in the rain");
      await page.getByRole("button", { name: "Create your account" }).click();
      await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    },
  },
  { name: "confirm", path: "/confirm?token=mock", until: "text=Create my account" },
  {
    name: "confirm-ended",
    path: "/confirm?token=ended",
    until: "text=Create my account",
    then: async (page) => {
      await page.getByRole("button", { name: "Create my account" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "signin", path: "/signin", until: "h1" },
  {
    name: "signin-code",
    path: "/signin",
    until: "h1",
    then: async (page) => {
      await page.getByLabel("Work e-mail").fill("code@example.com");
      await page.getByLabel("Password", { exact: true }).fill("trekker in the rain");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByLabel("Code").waitFor();
    },
  },
  { name: "reset", path: "/reset", until: "h1" },
  { name: "reset-confirm", path: "/reset/confirm?token=mock", until: "text=Set the password" },
  { name: "email-confirm", path: "/email/confirm?token=mock", until: "text=Use this address" },
  { name: "invitation", path: "/invitation?token=mock", until: "text=Join Harbour Couriers" },
  { name: "account", as: "dana", path: "/settings/account", until: "h1" },
  { name: "team", as: "dana", path: "/settings/team", until: "table, ul" },
  { name: "tenant", as: "dana", path: "/settings/tenant", until: "h1" },
  { name: "tokens", as: "dana", path: "/settings/tokens", until: "h1" },
  { name: "plan", as: "dana", path: "/settings/plan", until: "text=Chats today" },
  { name: "audit", as: "dana", path: "/settings/audit", until: "h1" },
  { name: "viewer-home", as: "viewer", path: "/", until: "text=Latest chats" },
  { name: "viewer-card", as: "viewer", path: "/card", until: "text=Changes of the card" },
  { name: "viewer-sources", as: "viewer", path: "/sources", until: "text=Loyalty list" },
  { name: "viewer-source", as: "viewer", path: `/sources/${postgres}`, until: "text=Name and settings" },
  { name: "viewer-source-add", as: "viewer", path: "/sources/add", until: "text=New sources" },
  { name: "viewer-csv", as: "viewer", path: "/csv", until: "text=New lists" },
  { name: "viewer-csv-list", as: "viewer", path: `/csv/${csv}`, until: "text=Uploads are" },
  { name: "viewer-desk", as: "viewer", path: "/livesupporti", until: "text=Changes of this link" },
  { name: "member-desk", as: "member", path: "/livesupporti", until: "text=Test credentials" },
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
  {
    name: "card-search",
    as: "dana",
    path: "/card",
    until: "text=Preview, v7",
    then: async (page) => {
      await page.getByLabel("Find a field").fill("measure 1");
      await page.getByText("Add a word to").first().waitFor();
    },
  },
  {
    name: "card-field",
    as: "dana",
    path: "/card",
    until: "text=Preview, v7",
    then: async (page) => {
      await page.getByRole("button", { name: /^Loyalty/ }).click();
      await page.getByRole("combobox", { name: "Field" }).fill("revenue");
      await page.getByRole("option", { name: /Annual revenue/ }).click();
      await page.getByText("shown in another way").or(page.getByText("removed")).first().waitFor();
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
    path: `/sources/${postgres}`,
    until: "text=The login may also write",
    then: async (page) => {
      await page.getByLabel("A customer’s e-mail").fill("maya@lindqvist.se");
      await page.getByRole("button", { name: "Ask" }).click();
      await page.getByText("Found in").waitFor();
    },
  },
  {
    name: "source-moved",
    as: "dana",
    path: `/sources/${postgres}`,
    until: "text=The login may also write",
    then: async (page) => {
      await page.getByRole("button", { name: "Change name and settings" }).click();
      await page.getByLabel("Host").fill("db2.brightwater-bikes.com");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Enter it again: Host has changed.").waitFor();
    },
  },
  {
    name: "source-suggested",
    as: "dana",
    path: `/sources/${postgres}`,
    until: "text=The login may also write",
    then: async (page) => {
      await page.getByRole("button", { name: "Trust this certificate" }).click();
      await page.getByText("the certificate is the one you trust").waitFor();
    },
  },
  { name: "source-login-form", as: "dana", path: "/sources/add/hubspot", until: "text=Connect with HubSpot" },
  {
    name: "source-login-key",
    as: "dana",
    path: "/sources/add/hubspot",
    until: "text=Connect with HubSpot",
    then: async (page) => {
      await page.getByRole("button", { name: "Connect in another way" }).click();
      await page.getByLabel("Service key", { exact: true }).fill("my key");
      await page.getByRole("button", { name: "Connect and check" }).click();
      await page.getByText("It begins with pat-").waitFor();
    },
  },
  { name: "source-login-absent", as: "dana", path: "/sources/add/freshworks", until: "text=is not set up here" },
  {
    name: "source-login",
    as: "dana",
    path: `/sources/${hubspot}`,
    until: "text=Connected as",
    then: async (page) => {
      await page.getByText("May read: 4").click();
      await page.getByLabel("A customer’s e-mail").fill("maya@lindqvist.se");
      await page.getByRole("button", { name: "Ask" }).click();
      await page.getByText("Found in").waitFor();
    },
  },
  {
    name: "source-login-end",
    as: "dana",
    path: `/sources/${hubspot}`,
    until: "text=Connected as",
    then: async (page) => {
      await page.getByRole("button", { name: "Disconnect" }).click();
      await page.getByRole("dialog").getByText("Sidecard forgets the login").waitFor();
    },
  },
  { name: "source-login-ended", as: "dana", path: `/sources/${ended}`, until: "text=has ended the login" },
  { name: "source-login-none", as: "dana", path: `/sources/${unknown}`, until: "text=You choose the account" },
  { name: "callback", as: "dana", path: "/connect/callback?code=good&state=slow", until: "h1" },
  {
    name: "callback-denied",
    as: "dana",
    login: unknown,
    path: "/connect/callback?error=access_denied&state=denied",
    until: "text=Go to HubSpot test account",
  },
  {
    name: "callback-late",
    as: "dana",
    path: "/connect/callback?code=good&state=late",
    until: "text=This login has expired",
  },
  { name: "callback-typed", as: "dana", path: "/connect/callback", until: "text=This page finishes a login" },
  { name: "csv-new", as: "new", path: "/csv", until: "text=No list yet" },
  { name: "csv", as: "dana", path: "/csv", until: "text=Loyalty list" },
  { name: "csv-list", as: "dana", path: `/csv/${csv}`, until: "text=How we read it" },
  { name: "csv-empty", as: "dana", path: `/csv/${empty}`, until: "text=No data yet" },
  {
    name: "csv-refused",
    as: "dana",
    path: `/csv/${empty}`,
    until: "text=No data yet",
    then: async (page) => {
      const file = { name: "fair.csv", mimeType: "text/csv", buffer: Buffer.from("name;phone\nMaya;1\n") };
      await page.getByLabel("Drop a file, or choose one").last().setInputFiles(file);
      await page.getByRole("button", { name: "remove the list" }).waitFor();
    },
  },
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
