// The left column: the list of chats and the form that starts one.

import { $, ago, el, fillSelect, plural, setText } from "./dom.js";
import { call, put, state } from "./state.js";

export const title = (chat) => chat.visitor.email || chat.visitor.name || `Visitor ${chat.visitor.id}`;

export const firstMessage = (chat) => chat.visitor.message || "Hello, I have a question about my order.";

export function showChats(selected) {
  setText($("chat-count"), `${state.chats.length} open`);
  const list = $("chat-list");
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = state.chats.map((chat) => {
    const item = known.get(chat.id) ?? listItem(chat);
    const link = item.firstElementChild;
    if (chat.id === selected?.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    setText(link.querySelector("time"), ago(chat.started_at));
    return item;
  });
  const same = items.length === list.children.length && items.every((item, i) => list.children[i] === item);
  if (!same) {
    const focused = document.activeElement;
    list.replaceChildren(...items);
    if (list.contains(focused)) focused.focus();
  }
}

function listItem(chat) {
  return el("li", { "data-id": chat.id },
    el("a", { href: `#/chats/${chat.id}` },
      el("span", { class: "avatar", "aria-hidden": "true", text: initials(chat) }),
      el("span", { class: "who", text: title(chat) }),
      el("time", { datetime: chat.started_at }),
      el("span", { class: "preview", text: firstMessage(chat) })));
}

function initials(chat) {
  const name = chat.visitor.name || chat.visitor.email.split("@")[0] || "";
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (words.length === 0) return "?";
  const letters = words.length > 1 ? [...words[0]][0] + [...words.at(-1)][0] : [...words[0]].slice(0, 2).join("");
  return letters.toUpperCase();
}

export function showStartForm() {
  const several = state.accounts.length > 1;
  $("start-account-field").hidden = !several;
  fillSelect($("start-account"), state.accounts.map((account) => [account.id, account.email]));
  const samples = $("sample-emails");
  if (samples.children.length !== state.sample_emails.length) {
    samples.replaceChildren(...state.sample_emails.map((value) => el("option", { value })));
  }
}

export function listenToStartForm(announce) {
  $("start-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $("start-chat");
    button.disabled = true;
    setText($("start-problem"), "");
    try {
      const chat = await call("POST", "/sim/chats", {
        account: state.accounts.length > 1 ? $("start-account").value : "",
        email: $("start-email").value.trim(),
        name: $("start-name").value.trim(),
        message: $("start-message").value.trim(),
      });
      // Its events may have come first, and know more.
      if (!state.chats.some((known) => known.id === chat.id)) put(chat);
      location.hash = `#/chats/${chat.id}`;
      if (matchMedia("(max-width: 56em)").matches) $("visitor-title").scrollIntoView();
      announce(`Chat with ${title(chat)} started. ${plural(chat.webhooks, "WebHook")} told.`);
    } catch (err) {
      setText($("start-problem"), err.message);
    } finally {
      button.disabled = false;
    }
  });
}
