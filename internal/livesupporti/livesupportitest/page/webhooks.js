// The WebHooks panel: what exists, the form that adds one, and what Sidecard
// needs to know about the account.

import { $, clock, el, facts, fillSelect, setText } from "./dom.js";
import { call, state } from "./state.js";

let shown = "";

export function showWebHooks() {
  $("webhook-account-field").hidden = state.accounts.length < 2;
  fillSelect($("webhook-account"), state.accounts.map((account) => [account.id, account.email]));
  const version = JSON.stringify([state.webhooks, state.accounts]);
  if (version === shown) return;
  shown = version;
  $("webhook-list").replaceChildren(state.webhooks.length
    ? el("ul", { class: "rows" }, ...state.webhooks.map(webHook))
    : el("p", { class: "hint", text: "There is none yet: chats are announced to nobody." }));
  $("account-list").replaceChildren(...state.accounts.flatMap(account));
}

function webHook(hook) {
  const owner = state.accounts.length > 1 ? ` for ${state.accounts.find((a) => a.id === hook.account_id)?.email}` : "";
  const last = hook.last_status ? `, last answer ${hook.last_status}` : "";
  return el("li", {},
    el("span", { class: "name" },
      el("code", { text: hook.callback_url }),
      el("br"),
      el("span", { class: "small", text: `Created at ${clock(hook.created_at)}${owner}${last}` })),
    el("button", {
      type: "button",
      text: "Remove",
      "aria-label": `Remove ${hook.callback_url}`,
      onclick: () => call("DELETE", `/sim/webhooks/${encodeURIComponent(hook.id)}`).catch((err) => tell(false, err.message)),
    }));
}

function account(account) {
  return [
    el("h3", { text: "What Sidecard needs of this account" }),
    facts([
      ["E-mail", account.email],
      ["API key", el("code", { text: account.api_key })],
      ["API address", el("code", { text: `${location.origin}/api` })],
      ["Account id", el("code", { text: account.id })],
    ]),
  ];
}

function tell(ok, text) {
  const result = $("webhook-result");
  result.dataset.ok = ok;
  setText(result, text);
}

export function listenToWebHookForm() {
  $("webhook-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $("webhook-create");
    button.disabled = true;
    tell(true, "Asking the callback for the echo…");
    try {
      const result = await call("POST", "/sim/webhooks", {
        account: state.accounts.length > 1 ? $("webhook-account").value : "",
        callback_url: $("webhook-url").value.trim(),
        secret: $("webhook-secret").value,
        browser_check: $("webhook-browser").checked,
      });
      tell(result.ok, result.ok ? "Created. The callback sent the echo back." : `Not created. ${result.reason}`);
      if (result.ok) event.target.reset();
    } catch (err) {
      tell(false, err.message);
    } finally {
      button.disabled = false;
    }
  });
}
