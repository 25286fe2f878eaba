// The middle column while a chat is open. Replies are kept here and nowhere
// else.

import { $, clock, el, setText } from "./dom.js";
import { state } from "./state.js";
import { firstMessage, title } from "./chats.js";

const replies = new Map(); // chat id -> texts
let shown = "";

export function showConversation(chat) {
  setText($("chat-title"), title(chat));
  setText($("chat-subtitle"), `chat started ${clock(chat.started_at)} · with ${chat.agent_name}`);
  const name = `Write to ${chat.visitor.name || title(chat)}`;
  setText($("reply-label"), name);
  $("reply").placeholder = name;

  const said = replies.get(chat.id) ?? [];
  const version = `${chat.id} ${said.length}`;
  if (version === shown) return;
  shown = version;
  const room = $("conversation");
  room.replaceChildren(
    el("p", { class: "day", text: day(chat.started_at) }),
    bubble("visitor-says", "Visitor: ", firstMessage(chat)),
    ...said.map((text) => bubble("agent-says", "You: ", text)));
  room.scrollTop = room.scrollHeight;
}

function bubble(kind, who, text) {
  return el("p", { class: `bubble ${kind}` }, el("span", { class: "visually-hidden", text: who }), text);
}

function day(time) {
  const date = new Date(time);
  const hour = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date().toDateString()) return `Today, ${hour}`;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, ${hour}`;
}

export function listenToReplies(current, render) {
  $("reply-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("reply").value.trim();
    const chat = current();
    if (!text || !chat) return;
    replies.set(chat.id, [...(replies.get(chat.id) ?? []), text]);
    $("reply").value = "";
    render();
  });
}

export function showEmpty() {
  const link = $("empty-link");
  link.hidden = true;
  if (!state.ready) {
    setText($("empty-title"), "One moment");
    setText($("empty-text"), "The console asks the simulator for its chats.");
  } else if (state.accounts.length === 0) {
    setText($("empty-title"), "No account yet");
    setText($("empty-text"), "Give the simulator a LiveSupporti account when you start it, or add one through POST /sim/accounts.");
  } else if (state.webhooks.length === 0) {
    setText($("empty-title"), "No WebHook yet");
    setText($("empty-text"), "LiveSupporti would tell nobody about a chat. Put Sidecard's callback URL and secret in first.");
    link.hidden = false;
  } else {
    setText($("empty-title"), "No chats yet");
    setText($("empty-text"), "Start one under “Start a chat”. It appears here at once, and the visitor's details beside it.");
  }
}
