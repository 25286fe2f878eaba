// @ts-check
// Looks at every screen on made-up data (mock): a picture of each, light and dark, wide and narrow, and
// no accessibility violation. Pictures go to build/look. Run: npm run look [part of a name].
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { listen, startBrowser, visit } from "./browser.mjs";
import { screens } from "./screens.mjs";

const folder = path.resolve(fileURLToPath(import.meta.url), "../../../build/look");
const only = process.argv[2] ?? "";
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
      if (screen.as !== undefined) await signIn(page, screen.as);
      if (screen.login !== undefined)
        await page.addInitScript((id) => sessionStorage.setItem("sidecard.login", id), screen.login);
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

/**
 * Signs in at the mock, and gives whom a role names that role.
 * @param {import("playwright-core").Page} page
 * @param {string} as
 */
async function signIn(page, as) {
  await page.request.post(`${origin}/api/v1/auth/signin`, { data: { email: `${as}@example.com`, password: "mock" } });
  await page.addInitScript(() => localStorage.setItem("sidecard.signed-in", "yes"));
  if (!["viewer", "member", "admin"].includes(as)) return;
  await page.route(/\/api\/v1\/(auth\/refresh|me)$/, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    (json.me ?? json).role = as;
    await route.fulfill({ response, json });
  });
}

if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  process.exitCode = 1;
} else {
  console.log(`Looked at ${screens.length} screens: ${folder}`);
}
