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
      if (screen.as !== undefined)
        await page.addInitScript(
          (token) => localStorage.setItem("sidecard.refresh", token),
          screen.as === "new" ? "new" : "full",
        );
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
if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  process.exitCode = 1;
} else {
  console.log(`Looked at ${screens.length} screens: ${folder}`);
}
