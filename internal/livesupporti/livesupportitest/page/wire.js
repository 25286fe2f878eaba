// Both directions of one chat, as they went over the wire.

import { $, ms, el, setText } from "./dom.js";
import { title } from "./chats.js";
import { call } from "./state.js";

let version = "";

export async function showWire(chat) {
  setText($("wire-subtitle"), chat ? `${title(chat)}: every request and its answer, as on the wire` : "Start a chat to see them.");
  const wanted = chat ? `${chat.id} ${chat.notices.length} ${chat.posts}` : "";
  if (wanted === version) return;
  version = wanted;
  if (!chat) {
    $("wire-list").replaceChildren();
    return;
  }
  let exchanges;
  try {
    exchanges = await call("GET", `/sim/chats/${encodeURIComponent(chat.id)}/wire`);
  } catch (err) {
    version = "";
    $("wire-list").replaceChildren(el("p", { class: "problem", text: err.message }));
    return;
  }
  if (version !== wanted) return;
  exchanges.sort((a, b) => a.after_ms - b.after_ms);
  const nothing = el("p", { class: "hint", text: "Nothing has been sent, or it was too long ago to be kept." });
  $("wire-list").replaceChildren(...(exchanges.length ? exchanges.map(show) : [nothing]));
}

function show(exchange) {
  const direction = exchange.outbound ? "LiveSupporti → Sidecard: notification" : "Sidecard → LiveSupporti: details";
  const when = `${ms(exchange.after_ms)} after the start` + (exchange.outbound ? `, answered within ${ms(exchange.took_ms)}` : "");
  const answer = exchange.answer ? `${exchange.answer}\n${exchange.text}` : exchange.problem;
  return el("article", { class: "exchange" },
    el("header", {},
      el("h3", { text: direction }),
      el("span", { class: "small", text: when }),
      exchange.note ? el("p", { class: "note", text: exchange.note }) : null),
    el("h4", { text: "Request" }),
    el("pre", { text: `${exchange.request}\n${exchange.body}`.trim() }),
    el("h4", { text: "Answer" }),
    el("pre", { text: answer.trim() }));
}
