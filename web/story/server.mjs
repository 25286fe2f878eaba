// @ts-check
// The server under the story: one that runs already, or a fresh one on free ports with data of its own.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = path.resolve(fileURLToPath(import.meta.url), "../../..");
const patience = 60_000; // ms until it has to answer

/** @typedef {{ portal: string, simulator: string, mailbox: string, stop: () => Promise<void> }} Server */

/**
 * SIDECARD_URL, SIMULATOR_URL and MAILBOX_URL name a running server. Else SIDECARD_BIN is started, and without it the program is
 * built first.
 * @returns {Promise<Server>}
 */
export async function startServer() {
  const { SIDECARD_URL: portal, SIMULATOR_URL: simulator, MAILBOX_URL: mailbox } = process.env;
  if (portal && simulator && mailbox) return { portal, simulator, mailbox, stop: async () => undefined };
  const folder = mkdtempSync(path.join(tmpdir(), "sidecard-story-"));
  try {
    return await run(process.env.SIDECARD_BIN ?? build(folder), folder);
  } catch (err) {
    rmSync(folder, { recursive: true, force: true });
    throw err;
  }
}

/** @param {string} folder */
function build(folder) {
  const program = path.join(folder, "sidecard");
  execFileSync("go", ["build", "-o", program, "./cmd/sidecard"], { cwd: root, stdio: "inherit" });
  return program;
}

/**
 * @param {string} program
 * @param {string} folder
 * @returns {Promise<Server>}
 */
async function run(program, folder) {
  const args = [
    "run",
    "--data",
    path.join(folder, "data"),
    "--listen",
    "127.0.0.1:0",
    "--simulator-listen",
    "127.0.0.1:0",
    "--hubspot-listen",
    "127.0.0.1:0",
    "--mailbox-listen",
    "127.0.0.1:0",
    "--no-demo",
  ];
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(kill);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const urls = await printedUrls(child, ended);
    return { portal: urls.Portal ?? "", simulator: urls.Console ?? "", mailbox: urls.Mailbox ?? "", stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

/**
 * Reads "Portal   http://…", "Console  http://…" and "Mailbox  http://…" from what the program prints.
 * @param {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, null>} child
 * @param {Promise<unknown>} ended
 * @returns {Promise<Record<string, string>>}
 */
function printedUrls(child, ended) {
  return new Promise((resolve, reject) => {
    /** @type {Record<string, string>} */
    const urls = {};
    const late = setTimeout(() => reject(new Error(`the server printed no address within ${patience} ms`)), patience);
    child.once("error", reject);
    void ended.then(() => reject(new Error("the server ended before it printed its addresses")));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, name, url] = /^(Portal|Console|Mailbox)\s+(http:\/\/\S+)/.exec(line) ?? [];
      if (name && url) urls[name] = url.replace(/\/$/, "");
      if (urls.Portal && urls.Console && urls.Mailbox) {
        clearTimeout(late);
        resolve(urls);
      }
    });
  });
}
