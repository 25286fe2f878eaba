// A status is a shape, a colour and a word, never colour alone. Circle is fine, hollow is neutral, triangle
// warns, square failed.
import {
  IconAlertTriangleFilled,
  IconArrowForwardUp,
  IconAtOff,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleHalf2,
  IconCircleMinus,
  IconClockPause,
  IconEraser,
  IconGauge,
  IconHourglassEmpty,
  IconLoader2,
  IconMessageOff,
  IconPlayerPauseFilled,
  IconShieldX,
  IconSquareDashed,
  IconSquareXFilled,
  IconUsers,
  type Icon,
} from "@tabler/icons-react";
import type { Connection, OutcomeName } from "../api/queries";
import classes from "./Status.module.css";

type Tone = "good" | "none" | "warn" | "bad";

interface Look {
  word: string;
  icon: Icon;
  tone: Tone;
  turns?: boolean;
}

const looks = {
  waiting: { word: "On its way", icon: IconLoader2, tone: "good", turns: true },
  shown: { word: "Shown", icon: IconCircleCheckFilled, tone: "good" },
  shown_in_part: { word: "Shown in part", icon: IconCircleHalf2, tone: "good" },
  no_match: { word: "No match", icon: IconCircleMinus, tone: "none" },
  several_matches: { word: "Several matches", icon: IconUsers, tone: "none" },
  no_email: { word: "No e-mail", icon: IconAtOff, tone: "none" },
  nothing_to_show: { word: "Nothing to show", icon: IconSquareDashed, tone: "none" },
  no_card: { word: "No card yet", icon: IconCircleDashed, tone: "none" },
  superseded: { word: "Newer chat", icon: IconArrowForwardUp, tone: "none" },
  not_a_chat: { word: "Not a chat", icon: IconMessageOff, tone: "none" },
  no_credentials: { word: "No LiveSupporti login", icon: IconSquareXFilled, tone: "bad" },
  refused: { word: "Refused by LiveSupporti", icon: IconSquareXFilled, tone: "bad" },
  lookup_failed: { word: "Sources failed", icon: IconSquareXFilled, tone: "bad" },
  expired: { word: "Too late", icon: IconHourglassEmpty, tone: "bad" },
  erased: { word: "Erased", icon: IconEraser, tone: "none" },
  over_quota: { word: "Plan used up", icon: IconGauge, tone: "bad" },
  // A chat that waits for its next try: nothing turns, since nothing is done until then.
  retrying: { word: "Waiting to try again", icon: IconClockPause, tone: "warn" },
  // Sources, the desk and single steps.
  working: { word: "Working", icon: IconCircleCheckFilled, tone: "good" },
  warning: { word: "Needs a look", icon: IconAlertTriangleFilled, tone: "warn" },
  failing: { word: "Not working", icon: IconSquareXFilled, tone: "bad" },
  new: { word: "Not checked yet", icon: IconCircleDashed, tone: "none" },
  needs_reconnect: { word: "Needs reconnect", icon: IconSquareXFilled, tone: "bad" },
  not_connected: { word: "Not connected yet", icon: IconCircleDashed, tone: "none" },
  paused: { word: "Paused", icon: IconPlayerPauseFilled, tone: "none" },
  rejected: { word: "Rejected", icon: IconShieldX, tone: "bad" },
  gone: { word: "Field is gone", icon: IconAlertTriangleFilled, tone: "warn" },
  todo: { word: "To do", icon: IconCircleDashed, tone: "none" },
  listening: { word: "Waiting", icon: IconLoader2, tone: "good", turns: true },
} satisfies Record<OutcomeName | Connection["status"] | string, Look>;

export type StatusName = keyof typeof looks;

/** The words for the outcomes, in the order a filter offers them. */
export const outcomeWords: [OutcomeName, string][] = (
  [
    "shown",
    "shown_in_part",
    "no_match",
    "several_matches",
    "no_email",
    "nothing_to_show",
    "no_card",
    "refused",
    "no_credentials",
    "lookup_failed",
    "expired",
    "superseded",
    "not_a_chat",
    "erased",
    "over_quota",
  ] as const
).map((name) => [name, looks[name].word]);

/** statusOf tells a chat that waits for its next try from one that is being worked on. */
export function statusOf(chat: { outcome: { name: OutcomeName }; next_try_at?: string }): StatusName {
  return chat.outcome.name === "waiting" && chat.next_try_at !== undefined ? "retrying" : chat.outcome.name;
}

/** failed tells the outcomes that somebody has to do something about. */
export function failed(name: OutcomeName): boolean {
  return (looks[name] as Look).tone === "bad";
}

/** Icon and word. */
export function Status({ name, word }: { name: StatusName; word?: string }) {
  const look: Look = looks[name];
  return (
    <span className={classes.status} data-tone={look.tone}>
      <StatusShape name={name} />
      <span>{word ?? look.word}</span>
    </span>
  );
}

/** The shape alone, for where its word stands beside it anyway; spoken when `label` is set. */
export function StatusShape({ name, size = 17, label }: { name: StatusName; size?: number; label?: string }) {
  const look: Look = looks[name];
  const named = label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label };
  return (
    <span className={classes.shape} data-tone={look.tone} data-turns={look.turns || undefined} {...named}>
      <look.icon size={size} stroke={1.75} />
    </span>
  );
}
