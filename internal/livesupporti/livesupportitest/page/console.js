// The simulated agent console: which view is open, and who draws it.
//
// The address says it all: #/ follows the newest chat, #/chats/ID stays with
// one, #/chats/ID/wire shows both directions, #/webhooks and #/misbehave are
// panels.

import { $, setText } from "./dom.js";
import { follow, state } from "./state.js";
import { listenToStartForm, showChats, showStartForm, title } from "./chats.js";
import { listenToReplies, showConversation, showEmpty } from "./conversation.js";
import { showVisitor } from "./card.js";
import { showWire } from "./wire.js";
import { listenToWebHookForm, showWebHooks } from "./webhooks.js";
import { listenToFaultForm, showMisbehave } from "./misbehave.js";

let lastChat = ""; // stays chosen while a panel is open

function place() {
  const [section, id, part] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  if (section === "webhooks" || section === "misbehave") return { view: section, chat: find(lastChat) };
  const chat = find(section === "chats" ? id : "");
  if (section === "wire" || part === "wire") return { view: "wire", chat };
  return { view: chat ? "chat" : "empty", chat };
}

// find returns the chat, or the newest one when there is no such chat.
const find = (id) => state.chats.find((chat) => chat.id === id) ?? state.chats[0];

function render() {
  const { view, chat } = place();
  for (const name of ["chat", "empty", "wire", "webhooks", "misbehave"]) $(`view-${name}`).hidden = name !== view;
  navigate(view, chat);
  $("offline").hidden = !state.offline;
  showChats(chat);
  showStartForm();
  showVisitor(chat, announce);
  if (view === "chat") showConversation(chat);
  if (view === "empty") showEmpty();
  if (view === "wire") showWire(chat);
  if (view === "webhooks") showWebHooks();
  if (view === "misbehave") showMisbehave();
  document.title = chat ? `${title(chat)}, simulated agent console` : "Simulated agent console";
}

function navigate(view, chat) {
  const base = chat ? `#/chats/${encodeURIComponent(chat.id)}` : "#/";
  $("nav-chat").setAttribute("href", base);
  $("nav-wire").setAttribute("href", chat ? `${base}/wire` : "#/wire");
  for (const name of ["chat", "wire", "webhooks", "misbehave"]) {
    const current = name === view || name === "chat" && view === "empty";
    if (current) $(`nav-${name}`).setAttribute("aria-current", "page");
    else $(`nav-${name}`).removeAttribute("aria-current");
  }
  const portal = $("portal-link");
  portal.hidden = !/^https?:\/\//.test(state.portal_url);
  if (!portal.hidden) portal.href = state.portal_url;
}

const announce = (text) => setText($("announcer"), text);

window.addEventListener("hashchange", () => {
  const match = location.hash.match(/^#\/chats\/([^/]+)/);
  lastChat = match ? decodeURIComponent(match[1]) : place().chat?.id ?? "";
  render();
  if (!["chat", "empty"].includes(place().view)) $("middle").focus();
});

listenToStartForm(announce);
listenToReplies(() => place().chat, render);
listenToWebHookForm();
listenToFaultForm();
follow(render);
render();
setInterval(render, 1000); // the age of chats, and how long details have been awaited
