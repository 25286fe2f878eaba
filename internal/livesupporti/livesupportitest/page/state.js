// What the page knows, kept up to date by server-sent events, and what it can
// ask the simulator to do.

export const state = {
  ready: false,
  offline: false,
  accounts: [],
  webhooks: [],
  faults: [],
  chats: [], // newest first
  speed: 1,
  sample_emails: [],
  portal_url: "",
};

const most = 100;
let listener = () => {};
let pending = false;

// follow calls back after each change, at most once a frame, with the chats
// that have changed since.
export function follow(callback) {
  listener = callback;
  const events = new EventSource("/sim/events");
  events.addEventListener("open", reload);
  events.addEventListener("error", () => {
    state.offline = true;
    changed();
  });
  events.addEventListener("chat", (event) => {
    put(JSON.parse(event.data));
    changed();
  });
  events.addEventListener("setup", (event) => {
    Object.assign(state, JSON.parse(event.data));
    changed();
  });
}

async function reload() {
  try {
    Object.assign(state, await call("GET", "/sim/state"), { ready: true, offline: false });
  } catch {
    state.offline = true;
  }
  changed();
}

function changed() {
  if (pending) return;
  pending = true;
  // A hidden tab has no frames, but its title and its state must not lag.
  const next = document.hidden ? (run) => setTimeout(run, 100) : requestAnimationFrame;
  next(() => {
    pending = false;
    listener();
  });
}

// put adds a chat or replaces it by what is newer.
export function put(chat) {
  const at = state.chats.findIndex((known) => known.id === chat.id);
  if (at >= 0) {
    state.chats[at] = chat;
    return;
  }
  state.chats.unshift(chat);
  if (state.chats.length > most) state.chats.length = most;
}

// call asks the simulator. It throws an Error whose message is for people.
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The simulator does not answer.");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(sentence(answer.error ?? `The simulator answered ${response.status}`));
  return answer;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
