// The Misbehave panel: faults in plain words.

import { $, el, fillSelect, setText } from "./dom.js";
import { call, state } from "./state.js";

const faults = [
  ["Details: 401, the API key is refused", { route: "details", mode: "status", status: 401 }],
  ["Details: 403, the account may not do this", { route: "details", mode: "status", status: 403 }],
  ["Details: 404, the visitor is unknown", { route: "details", mode: "status", status: 404 }],
  ["Details: 400, the body is refused", { route: "details", mode: "status", status: 400 }],
  ["Details: 429, too many requests", { route: "details", mode: "status", status: 429 }],
  ["Details: 500, broken inside", { route: "details", mode: "status", status: 500 }],
  ["Details: 503, not available", { route: "details", mode: "status", status: 503 }],
  ["Details: no answer at all", { route: "details", mode: "hang" }],
  ["Details: connection reset before they are read", { route: "details", mode: "reset-before" }],
  ["Details: connection reset after they are accepted", { route: "details", mode: "reset-after" }],
  ["Details: accepted, the answer comes byte by byte", { route: "details", mode: "drip" }],
  ["Details: accepted, the answer is rubbish", { route: "details", mode: "garbage" }],
  ["Details: accepted, the answer never ends", { route: "details", mode: "flood" }],
  ["Details: redirect to another address", { route: "details", mode: "redirect" }],
  ["Agents list: 401, the API key is refused", { route: "agents", mode: "status", status: 401 }],
  ["Agents list: 500, broken inside", { route: "agents", mode: "status", status: 500 }],
  ["Agents list: no answer at all", { route: "agents", mode: "hang" }],
  ["Notification: sent twice", { route: "notifications", mode: "duplicate" }],
  ["Notification: signed with another secret", { route: "notifications", mode: "wrong-signature" }],
  ["Notification: not signed", { route: "notifications", mode: "unsigned" }],
];

const often = [
  ["Once", { count: 1 }],
  ["The next 3 times", { count: 3 }],
  ["The next 10 times", { count: 10 }],
  ["Every second time", { percent: 50 }],
  ["Every time", {}],
];

const options = (table) => table.map(([label], i) => [String(i), label]);
const chosen = (select, table) => table[Number(select.value)][1];

let shown = "";

export function showMisbehave() {
  const version = JSON.stringify(state.faults);
  if (version === shown) return;
  shown = version;
  if (state.faults.length === 0) {
    $("fault-list").replaceChildren(el("p", { class: "hint", text: "Everything works as it should." }));
    return;
  }
  $("fault-list").replaceChildren(
    el("ul", { class: "rows" }, ...state.faults.map((fault) => el("li", {},
      el("span", { class: "name", text: words(fault) }),
      el("span", { class: "small", text: howOften(fault) })))),
    el("button", { type: "button", text: "Heal everything", onclick: heal }));
}

function words(fault) {
  const same = faults.find(([, known]) =>
    known.route === fault.route && known.mode === fault.mode && (known.status ?? 0) === (fault.mode === "status" ? fault.status : 0));
  const label = same ? same[0] : `${fault.route}: ${fault.mode} ${fault.status ?? ""}`.trim();
  if (fault.retry_after) return `${label}, Retry-After ${fault.retry_after}`;
  return fault.location ? `${label}, ${fault.location}` : label;
}

function howOften(fault) {
  const share = fault.percent ? `${fault.percent}% of the time` : "every time";
  if (!fault.count) return share;
  const left = fault.count === 1 ? "once more" : `${fault.count} more times`;
  return fault.percent ? `${share}, ${left}` : left;
}

const heal = () => call("DELETE", "/sim/faults").catch((err) => setText($("fault-problem"), err.message));

export function listenToFaultForm() {
  fillSelect($("fault-what"), options(faults));
  fillSelect($("fault-often"), options(often));
  const extras = () => {
    const fault = chosen($("fault-what"), faults);
    $("fault-retry-field").hidden = fault.mode !== "status" || ![429, 503].includes(fault.status);
    $("fault-location-field").hidden = fault.mode !== "redirect";
  };
  $("fault-what").addEventListener("change", extras);
  extras();
  $("fault-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const fault = { ...chosen($("fault-what"), faults), ...chosen($("fault-often"), often) };
    if (!$("fault-retry-field").hidden) fault.retry_after = $("fault-retry").value;
    if (!$("fault-location-field").hidden) fault.location = $("fault-location").value.trim();
    setText($("fault-problem"), "");
    try {
      await call("POST", "/sim/faults", fault);
    } catch (err) {
      setText($("fault-problem"), err.message);
    }
  });
}
