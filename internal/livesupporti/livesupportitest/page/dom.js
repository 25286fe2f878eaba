// Small helpers over the DOM. Text from outside reaches the page through
// textContent only: el() has no way to write markup.

export const $ = (id) => document.getElementById(id);

const svgTags = new Set(["svg", "path", "rect"]);

// el makes an element. Properties named class, text and data-* are as in HTML;
// children are elements or strings.
export function el(tag, props = {}, ...children) {
  const node = svgTags.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// setText avoids touching what has not changed, which live regions would read
// out again.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const clock = (time) => new Date(time).toLocaleTimeString("en-GB");

// ms writes milliseconds with a space that does not break.
export const ms = (value) => `${Math.max(1, Math.round(value)).toLocaleString("en")}\u00a0ms`;

// span writes a longer wait in words.
export function span(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 90) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)}\u00a0s`;
  return `${Math.round(seconds / 60)}\u00a0min`;
}

// ago writes how long something has been going on.
export function ago(time, now = Date.now()) {
  const minutes = Math.floor((now - new Date(time)) / 60000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes}\u00a0min`;
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)}\u00a0h`;
  return `${Math.floor(minutes / 60 / 24)}\u00a0d`;
}

export const plural = (n, one, many = one + "s") => `${n.toLocaleString("en")}\u00a0${n === 1 ? one : many}`;

// facts makes a list of names and values, without those that are empty.
export function facts(pairs) {
  const list = el("dl", { class: "facts" });
  for (const [name, value] of pairs) {
    if (!value) continue;
    list.append(el("dt", { text: name }), value instanceof Node ? el("dd", {}, value) : el("dd", { text: value }));
  }
  return list;
}

// fillSelect replaces a select's options and keeps the choice where it can.
export function fillSelect(select, options) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options === wanted) return;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, label]) => el("option", { value, text: label })));
  select.dataset.options = wanted;
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}
