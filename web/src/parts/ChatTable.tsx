// Chats as rows: when, who (masked), what became of it, what each source said, how long it took.
import { IconCheck, IconClockExclamation, IconMinus, IconRepeat, IconUsers, IconX } from "@tabler/icons-react";
import type { Chat } from "../api/queries";
import { DataTable, Dash, type Choice, type Column } from "./DataTable";
import { Status, statusOf } from "./Status";
import { Time } from "./Time";
import { moment, msText, untitled } from "./text";
import classes from "./ChatTable.module.css";

interface ChatTableProps {
  chats: readonly Chat[];
  goalMs?: number;
  /** Without the sources and the attempts. */
  short?: boolean;
  caption?: string;
  /** Lets chats be chosen, by their id. */
  choice?: Choice;
}

const mostSources = 3; // columns; with more, the sources share one

export function ChatTable({ chats, goalMs, short, caption = "Chats, newest first", choice }: ChatTableProps) {
  const columns: Column<Chat>[] = [
    { key: "time", head: "Time", cell: (c) => <Time at={c.received_at} />, width: "112px" },
    { key: "visitor", head: "Visitor", cell: (c) => <Visitor chat={c} /> },
    {
      key: "outcome",
      head: "Outcome",
      cell: (c) => <Outcome chat={c} />,
      width: short ? undefined : "26%",
    },
    ...(short ? [] : sourceColumns(chats)),
    { key: "ms", head: "To agent", cell: (c) => <ToAgent chat={c} goalMs={goalMs} />, align: "right", width: "110px" },
    ...(short ? [] : [attempts]),
  ];
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={chats}
      rowKey={(c) => c.id}
      rowLink={(c) => `/chats/${c.id}`}
      hideHead={short}
      choice={choice && { ...choice, label: spoken }}
      narrow={(c) => ({
        first: [<Outcome key="o" chat={c} />, <ToAgent key="m" chat={c} goalMs={goalMs} />],
        second: [<Visitor key="v" chat={c} />, <Time key="t" at={c.received_at} />],
      })}
    />
  );
}

const attempts: Column<Chat> = {
  key: "attempts",
  head: "Attempts",
  cell: (c) => (c.attempts > 0 ? c.attempts : <Dash spoken="none" />),
  align: "right",
  width: "84px",
};

function sourceColumns(chats: readonly Chat[]): Column<Chat>[] {
  const names = new Map<string, string>();
  for (const chat of chats) for (const s of chat.sources) names.set(s.connection_id, s.name);
  const of = (chat: Chat, id: string) => chat.sources.find((s) => s.connection_id === id);
  if (names.size > mostSources) {
    return [
      {
        key: "sources",
        head: "Sources",
        cell: (c) =>
          c.sources.length
            ? c.sources.map((s) => <Match key={s.connection_id} match={s.match} name={s.name} />)
            : notAsked,
      },
    ];
  }
  return [...names].map(([id, name]) => ({
    key: id,
    head: <span className={classes.source}>{name}</span>,
    cell: (c) => {
      const source = of(c, id);
      return source ? (
        <Match match={source.match} />
      ) : c.outcome.name === "waiting" ? (
        <span className="sc-dim sc-small">not yet</span>
      ) : (
        notAsked
      );
    },
    width: "13%",
  }));
}

const notAsked = <span className="sc-dim sc-small">not asked</span>;

const matches = {
  found: { icon: IconCheck, word: "found", tone: "good" },
  none: { icon: IconMinus, word: "no match", tone: "none" },
  ambiguous: { icon: IconUsers, word: "several", tone: "none" },
  failed: { icon: IconX, word: "failed", tone: "bad" },
} as const;

/** What one source said about a visitor. */
export function Match({ match, name }: { match: keyof typeof matches; name?: string }) {
  const { icon: Shape, word, tone } = matches[match];
  return (
    <span className={classes.match} data-tone={tone}>
      <Shape size={16} stroke={1.9} aria-hidden="true" />
      {name !== undefined && `${name} `}
      {word}
    </span>
  );
}

function spoken(chat: Chat): string {
  return `Select the chat of ${chat.visitor_email ?? "a visitor without e-mail"}, ${moment(new Date(chat.received_at))}`;
}

// What is on its way says where it is, in the API's words.
function Outcome({ chat }: { chat: Chat }) {
  const waits = chat.outcome.name === "waiting";
  return (
    <span className={classes.outcome}>
      <Status name={statusOf(chat)} word={waits ? untitled(chat.outcome.title) : undefined} />
      {chat.replay_of !== undefined && (
        <span className={classes.replay}>
          <IconRepeat size={13} stroke={1.75} aria-hidden="true" />
          Replay
        </span>
      )}
      {chat.next_try_at !== undefined && (
        <span className={classes.next}>
          Next try at <Time at={chat.next_try_at} />
        </span>
      )}
    </span>
  );
}

function Visitor({ chat }: { chat: Chat }) {
  if (chat.visitor_email) return <>{chat.visitor_email}</>;
  if (chat.details_removed === true) return <span className="sc-dim">details removed</span>;
  return <span className="sc-dim">{chat.outcome.name === "not_a_chat" ? "no visitor" : "no e-mail given"}</span>;
}

function ToAgent({ chat, goalMs }: { chat: Chat; goalMs?: number }) {
  const shown = chat.outcome.name === "shown" || chat.outcome.name === "shown_in_part";
  if (!shown || chat.ms === undefined) return <Dash spoken="not shown" />;
  if (goalMs === undefined || chat.ms <= goalMs) return <span className="sc-nowrap">{msText(chat.ms)}</span>;
  return (
    <span className={classes.slow}>
      <IconClockExclamation size={16} stroke={1.9} role="img" aria-label="Past the goal:" />
      {msText(chat.ms)}
    </span>
  );
}
