// The right column: the visitor, and Sidecard's card with the details, or in
// its place a ghost that says why there is none.

import { $, clock, el, facts, ms, plural, span } from "./dom.js";
import { state } from "./state.js";

// patience is after how many milliseconds without details the ghost says so.
const patience = 8000;

let shown = "";
let arrived = new Set();

export function showVisitor(chat, announce) {
  const late = chat && !chat.shown && Date.now() - new Date(chat.started_at) > patience;
  const version = JSON.stringify([chat, late, state.portal_url, state.accounts.length]);
  if (version === shown) return;
  shown = version;
  if (!chat) {
    $("visitor-facts").replaceChildren(el("p", { class: "after-card", text: "Nobody is chatting yet." }));
    $("card-place").replaceChildren();
    return;
  }
  const account = state.accounts.find((known) => known.id === chat.account_id);
  $("visitor-facts").replaceChildren(facts([
    ["E-mail", chat.visitor.email || "none given"],
    ["Name", chat.visitor.name],
    ["Visitor id", chat.visitor.id],
    ["Agent", chat.agent_name],
    ["Account", state.accounts.length > 1 && account?.email],
  ]));
  $("card-place").replaceChildren(...(chat.shown ? card(chat) : ghost(chat, late)), ...refusals(chat));
  if (chat.shown && !arrived.has(chat.id)) {
    if (arrived.size > 0 || Date.now() - new Date(chat.shown.at) < 5000) {
      announce(`Details arrived ${ms(chat.shown.after_ms)} after the chat began: ${plural(chat.shown.fields.length, "line")}.`);
    }
    arrived.add(chat.id);
  }
}

function card(chat) {
  const { fields, after_ms, times, at } = chat.shown;
  const named = fields.findIndex((field) => /^((full|customer|visitor|contact)\s+)?name$/i.test(field.name));
  const rows = el("dl");
  if (named >= 0) rows.append(row(fields[named], "card-row card-name"));
  const { email } = chat.visitor;
  if (email && !fields.some((field) => field.value === email)) rows.append(row({ name: "E-mail", value: email }, "card-mail"));
  fields.forEach((field, i) => {
    if (i !== named) rows.append(row(field, "card-row"));
  });
  const nothing = fields.length === 0 ? el("p", { class: "card-empty", text: "Accepted, without a single line." }) : null;
  const again = times > 1 ? ` It was sent ${times} times.` : "";
  return [
    el("div", { class: "tab card-tab" },
      "Details, ", el("span", { id: "card-ms", text: ms(after_ms) }), " after the chat began"),
    el("section", { id: "agent-card", class: arrived.has(chat.id) ? "card" : "card arriving", "aria-label": "Details from Sidecard" }, rows, nothing),
    el("p", { class: "after-card", text: `Accepted at ${clock(at)}.${again}` }),
  ];
}

function row(field, kind) {
  const hidden = kind !== "card-row";
  return el("div", { class: kind },
    el("dt", { class: hidden ? "visually-hidden" : undefined, text: field.name }),
    el("dd", { text: field.value }));
}

function ghost(chat, late) {
  const { tab, title, text, link } = whyNothing(chat, late);
  return [
    el("div", { class: "tab ghost-tab", text: tab }),
    el("section", { id: "ghost-card", class: "ghost", "aria-label": "No details yet" },
      el("h3", { text: title }),
      text ? el("p", { text }) : null,
      link ? el("p", {}, el("a", { href: link[0], text: link[1] })) : null),
  ];
}

function whyNothing(chat, late) {
  const notice = chat.notices.at(-1);
  const refusal = chat.refusals.at(-1);
  const portal = state.portal_url ? [state.portal_url, "Ask the portal why"] : null;
  if (chat.webhooks === 0) {
    return {
      tab: "No card", title: "Nobody was told", text: "This account had no WebHook when the chat started.",
      link: ["#/webhooks", "Add a WebHook"],
    };
  }
  if (refusal) {
    return { tab: "No card", title: "The details were not accepted", text: "What was answered stands below.", link: late ? portal : null };
  }
  if (!notice) return { tab: "Not yet", title: "Waiting for details…", text: "The notification is on its way." };
  const answer = notice.status ? `Sidecard answered ${notice.status}` : `Sidecard did not answer: ${notice.problem}`;
  if (notice.outcome === "again") {
    return { tab: "Not yet", title: "The notification was not taken", text: `${answer}. LiveSupporti tells it again after ${span(notice.next_ms)}.`, link: portal };
  }
  if (notice.outcome !== "accepted") {
    return { tab: "No card", title: "LiveSupporti gave up", text: `${answer}. ${plural(chat.notices.length, "attempt")} were made.`, link: portal };
  }
  if (late) {
    const why = chat.visitor.email ? "it may know nobody with this e-mail" : "the visitor gave no e-mail to look for";
    return { tab: "No card", title: "No details came", text: `Sidecard took the notification and sent nothing: ${why}.`, link: portal };
  }
  return { tab: "Not yet", title: "Waiting for details…", text: `Sidecard took the notification after ${ms(notice.took_ms)}.` };
}

function refusals(chat) {
  if (chat.refusals.length === 0) return [];
  const items = chat.refusals.map((refusal) => el("li", {},
    el("svg", { viewBox: "0 0 24 24", width: 17, height: 17, "aria-hidden": "true" },
      el("path", { d: "M3 3h18v18H3V3Zm5.4 4L7 8.4l3.6 3.6L7 15.6 8.4 17l3.6-3.6 3.6 3.6 1.4-1.4-3.6-3.6L17 8.4 15.6 7 12 10.6 8.4 7Z", "fill-rule": "evenodd" })),
    el("strong", { text: refusal.status ? `Answered ${refusal.status}` : "No answer" }),
    el("span", { class: "ms", text: ms(refusal.after_ms) }),
    el("p", { text: refusal.reason })));
  return [el("div", { class: "refusals" },
    el("h3", { text: "Not accepted" }),
    el("ol", {}, ...items))];
}
