// What is left to do, read from what is really there. Nothing is ticked because somebody clicked.
import type { Action } from "../api/may";
import type { Card, Chat, Connection, Desk } from "../api/queries";
import { msText, plural, untitled } from "../parts/text";

export interface Step {
  title: string;
  text: string;
  done: boolean;
  to: string;
  action: string;
  /** What somebody has to be allowed to take it. */
  takes: Action;
}

export interface SetupState {
  desk?: Desk;
  sources?: Connection[];
  card?: Card;
  shown?: Chat | null;
}

/** setupSteps gives the four steps in their order. What is not known yet counts as open. */
export function setupSteps({ desk, sources, card, shown }: SetupState): Step[] {
  const ready = sources?.filter(hasData) ?? [];
  const first = shown ?? undefined;
  return [
    {
      title: "Connect your data",
      text: ready.length > 0 ? ready.map((s) => s.name).join(", ") : "Upload a CSV file, or connect a database or CRM.",
      done: ready.length > 0,
      to: "/sources/add",
      takes: "createConnection",
      action: "Connect your data",
    },
    {
      title: "Choose what your agents see",
      text: card?.version
        ? `Card v${card.version}, ${plural(card.lines.length, "line")}`
        : "Pick fields, see the card of a real customer, publish.",
      done: (card?.version ?? 0) > 0,
      to: "/card",
      takes: "publishCard",
      action: "Make the card",
    },
    {
      title: "Connect LiveSupporti",
      text: deskStep(desk),
      done: desk?.handshake_at !== undefined && desk.first_signed_at !== undefined && desk.api_key_set && !desk.paused,
      to: "/livesupporti",
      takes: "updateDesk",
      action: "Connect LiveSupporti",
    },
    {
      title: "See the first card in a chat",
      text: first
        ? untitled(first.outcome.title)
        : "Start a chat on your own site, with the e-mail of a customer you know.",
      done: first !== undefined,
      to: "/chats",
      takes: "listChats",
      action: "Watch the chats",
    },
  ];
}

function hasData(source: Connection): boolean {
  return source.status === "working" || source.status === "warning" || (source.last_import?.rows ?? 0) > 0;
}

function deskStep(desk?: Desk): string {
  if (desk === undefined) return "Copy two values into LiveSupporti, and its API key to here.";
  if (desk.paused) return "LiveSupporti refused the login. Put the API key right.";
  if (desk.first_signed_at && desk.api_key_set) return "API key stored, handshake and first signed webhook received";
  if (desk.first_signed_at) return "Webhooks arrive. The API key is missing.";
  if (desk.handshake_at)
    return desk.api_key_set
      ? "LiveSupporti knows the address. Waiting for the first chat."
      : "LiveSupporti knows the address. The API key is missing.";
  if (desk.api_key_set) return "The API key is stored. Now add the WebHook in LiveSupporti.";
  return "Copy two values into LiveSupporti, and its API key to here.";
}

/** verdict says in a sentence how the chats went. What is still under way, or no chat, does not count. */
export function verdict(all: readonly Chat[]): string {
  const chats = all.filter((c) => c.outcome.name !== "waiting" && c.outcome.name !== "not_a_chat");
  const shown = chats.filter((c) => c.outcome.name === "shown" || c.outcome.name === "shown_in_part");
  if (chats.length === 0) return "Ready for the first chat";
  if (chats.length === 1) return lastChat(shown[0]);
  if (shown.length === 0) return `No card was shown in the last ${plural(chats.length, "chat")}`;
  const times = shown.flatMap((c) => (c.ms === undefined ? [] : [c.ms])).sort((a, b) => a - b);
  const half = times[Math.floor((times.length - 1) / 2)];
  const speed = half === undefined ? "" : times.length === 1 ? ` in ${msText(half)}` : `, half within ${msText(half)}`;
  return `${shown.length} of the last ${plural(chats.length, "chat")} had a card${speed}`;
}

function lastChat(shown: Chat | undefined): string {
  if (shown === undefined) return "The last chat had no card";
  return shown.ms === undefined ? "The last chat had its card" : `The last chat had its card in ${msText(shown.ms)}`;
}
