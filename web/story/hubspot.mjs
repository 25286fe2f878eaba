// @ts-check
// Connecting HubSpot as a newcomer does: away to its login page, refused once, allowed then, and ended again. The
// HubSpot is the emulated one of the server under the story.
import assert from "node:assert/strict";
import path from "node:path";

/**
 * @param {object} story
 * @param {import("playwright-core").Page} story.page
 * @param {string} story.folder for pictures
 * @param {(name: string) => Promise<void>} story.look
 * @param {string} story.visitor a contact there
 */
export async function connectHubSpot({ page, folder, look, visitor }) {
  const heading = (/** @type {string} */ name) => page.getByRole("heading", { level: 1, name });
  const allow = page.getByRole("button", { name: "Connect app" });

  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Sources", exact: true }).click();
  await page.getByRole("link", { name: "Connect a source" }).click();
  await page.getByRole("link", { name: /^HubSpot/ }).click();
  await heading("Connect HubSpot").waitFor();
  await look("12d-hubspot");
  await page.getByLabel("Name").fill("Sales CRM");
  await page.getByRole("button", { name: "Connect with HubSpot" }).click();
  await allow.waitFor();
  await page.screenshot({ path: path.join(folder, "12e-hubspot-consent.png") });

  await page.getByRole("button", { name: "Cancel" }).click();
  await heading("The login was not finished").waitFor();
  await page.getByRole("link", { name: "Go to Sales CRM" }).waitFor();
  assert.equal(new URL(page.url()).search, "", "the answer is gone from the address");
  await look("12f-hubspot-refused");

  await page.getByRole("button", { name: "Connect again" }).click();
  await allow.click();
  await heading("Sales CRM").waitFor();
  await page.getByText("Connected as").waitFor();
  await page.getByRole("listitem").filter({ hasText: "Read contacts" }).getByRole("img", { name: "Fine:" }).waitFor();
  await page.getByRole("textbox", { name: "A customer’s e-mail" }).fill(visitor);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("Found in").waitFor();
  await look("12g-hubspot-connected");

  await page.getByRole("button", { name: "Disconnect" }).click();
  const question = page.getByRole("dialog", { name: "Disconnect Sales CRM?" });
  await question.getByRole("button", { name: "Disconnect" }).click();
  await page.getByText("Not connected yet. You choose the account").waitFor();
  await look("12h-hubspot-disconnected");
  await page.getByRole("button", { name: "Connect with HubSpot" }).click();
  await allow.click();
  await page.getByText("Connected as").waitFor();
}

/**
 * A field that is found among hundreds goes on the card, and shows the customer's value.
 * @param {object} story
 * @param {import("playwright-core").Page} story.page
 * @param {(name: string) => Promise<void>} story.look
 * @param {string} story.visitor a contact there
 */
export async function pickField({ page, look, visitor }) {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Card", exact: true }).click();
  const fields = page.getByRole("region", { name: "Fields of Sales CRM" });
  await fields.waitFor();
  await page.getByLabel("A real customer’s e-mail").fill(visitor);
  await page.getByLabel("Find a field").fill("lifecycle stage");
  const field = fields.getByRole("button", { name: /^Text Lifecycle stage/i }).first();
  await field.click();
  await page.getByRole("region", { name: "The card. Preview, draft v2" }).getByText("Lifecycle Stage").waitFor();
  await look("12i-card-hubspot");
  await field.click(); // and off it again: the next pages are about the published card
  await page.getByText("Agents see v1").waitFor();
}
