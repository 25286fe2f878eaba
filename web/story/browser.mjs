// @ts-check
// A fresh Chromium, found on PATH, and what every visit does: a picture and an accessibility check.
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Finds Chromium, or throws with what to install. */
function findChromium() {
  const named = process.env.CHROMIUM;
  if (named) return named;
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        continue;
      }
    }
  }
  throw new Error("There is no Chromium on PATH. On Debian: apt-get install chromium. Or name one in CHROMIUM.");
}

/** Starts a browser with a profile of its own. Call end() when done. */
export async function startBrowser() {
  const home = mkdtempSync(path.join(tmpdir(), "sidecard-browser-"));
  const browser = await chromium.launch({
    executablePath: findChromium(),
    headless: true,
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    browser,
    end: async () => {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/**
 * Fails the run on anything the page complains about: script errors, refused loads, broken policies.
 * @param {import("playwright-core").Page} page
 * @param {string[]} complaints
 */
export function listen(page, complaints) {
  page.on("pageerror", (err) => complaints.push(`script error on ${page.url()}: ${err.message}`));
  page.on("console", (message) => {
    // The browser itself reports each 4xx as an error; the pages show those on purpose.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) {
      complaints.push(`console error on ${page.url()}: ${message.text()}`);
    }
  });
}

/**
 * Takes a picture and runs axe, in light and in dark, where only contrast can differ. Adds each violation to the
 * complaints.
 * @param {import("playwright-core").Page} page
 * @param {string} folder
 * @param {string} name
 * @param {string[]} complaints
 */
export async function visit(page, folder, name, complaints) {
  mkdirSync(folder, { recursive: true });
  for (const scheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.waitForFunction(
      (wanted) => document.documentElement.getAttribute("data-mantine-color-scheme") === wanted,
      scheme,
    );
    await page.screenshot({ path: path.join(folder, `${name}-${scheme}.png`), fullPage: true });
    for (const violation of await check(page, scheme === "light" ? undefined : ["color-contrast"]))
      complaints.push(`axe on ${name}, ${scheme}: ${violation}`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string[] | undefined} rules all of them when left out
 * @returns {Promise<string[]>}
 */
async function check(page, rules) {
  await page.evaluate(axe);
  return page.evaluate(async (runOnly) => {
    const { violations } = await /** @type {any} */ (window).axe.run(document, {
      resultTypes: ["violations"],
      runOnly,
    });
    return /** @type {any[]} */ (violations).map(
      (v) =>
        `${v.id} (${v.impact}): ${v.help}; ${v.nodes
          .map((/** @type {any} */ n) => n.target.join(" "))
          .slice(0, 4)
          .join(", ")}`,
    );
  }, rules);
}
