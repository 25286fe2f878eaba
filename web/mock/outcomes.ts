// How chats end, in the words of the API.
import type { S } from "./tenant.ts";

export const outcomes: Record<string, S["Outcome"]> = {
  waiting: {
    name: "waiting",
    title: "Being looked up",
    message: "The sources are being asked, and what they know is sent at once.",
  },
  retrying: {
    name: "waiting",
    title: "Waiting to try again",
    message: "LiveSupporti answered 503 Service Unavailable.",
  },
  shown: {
    name: "shown",
    title: "Details shown to the agent in 412 ms.",
    message: "Found in Postgres shop-replica and Loyalty list.",
  },
  shown_in_part: {
    name: "shown_in_part",
    title: "Shown in part after 903 ms.",
    message: "Loyalty list did not answer in time. 1 line missing.",
  },
  no_match: {
    name: "no_match",
    title: "No customer with this e-mail.",
    message: "Asked Postgres shop-replica and Loyalty list for s…@gmail.com. Nothing was sent.",
  },
  several_matches: {
    name: "several_matches",
    title: "More than one customer has this e-mail.",
    message: "Nothing was sent, so that no agent sees the wrong one.",
  },
  no_email: {
    name: "no_email",
    title: "The visitor gave no e-mail.",
    message: "Ask for it in the pre-chat form of LiveSupporti.",
  },
  nothing_to_show: {
    name: "nothing_to_show",
    title: "Found, but every line was empty.",
    message: "Add a line to the card.",
  },
  no_card: { name: "no_card", title: "No card is published yet.", message: "Publish one, and the next chat shows it." },
  no_credentials: {
    name: "no_credentials",
    title: "Not shown: no LiveSupporti login is stored.",
    message: "Store the sign-in e-mail and API key.",
  },
  refused: {
    name: "refused",
    title: "Not shown: LiveSupporti refused the details.",
    message:
      "The API key seems to belong to another LiveSupporti account. Put in the key of the account that has the WebHook.",
  },
  lookup_failed: {
    name: "lookup_failed",
    title: "Not shown: no source could be asked.",
    message: "Postgres billing refused the login. Set its password again.",
  },
  expired: {
    name: "expired",
    title: "Not shown: no source answered within the chat's deadline.",
    message: "Look at the load of Postgres shop-replica.",
  },
  superseded: {
    name: "superseded",
    title: "Replaced by a newer chat of the same visitor.",
    message: "The agent sees the newer one.",
  },
  not_a_chat: {
    name: "not_a_chat",
    title: "Not a chat.",
    message: "LiveSupporti announced something that has no visitor.",
  },
  erased: {
    name: "erased",
    title: "The visitor's data was erased.",
    message: "Nothing more was looked up or sent.",
  },
  over_quota: {
    name: "over_quota",
    title: "Not looked up: the day's chats were used up.",
    message: "Replay the chat on another day, or ask for a larger plan.",
  },
};
