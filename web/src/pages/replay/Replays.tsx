// How chats and their replays know each other: a chat lists its replays, a replay leads back to its chat.
import { IconRepeat } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { chat as chatQuery, type ChatPage } from "../../api/queries";
import { DataTable, type Column } from "../../parts/DataTable";
import { Section } from "../../parts/Page";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { plural, untitled } from "../../parts/text";
import classes from "./Replays.module.css";

type Replay = ChatPage["replays"][number];

const columns: Column<Replay>[] = [
  { key: "at", head: "Replayed", cell: (r) => <Time at={r.at} />, width: "124px" },
  { key: "outcome", head: "Outcome", cell: (r) => <Outcome replay={r} /> },
  { key: "by", head: "By", cell: (r) => <By replay={r} />, width: "30%" },
];

const mostListed = 100;

/** The replays of a chat, newest first; nothing when there are none. */
export function Replays({ page }: { page: ChatPage }) {
  const { replays } = page;
  if (replays.length === 0) return null;
  return (
    <div className={classes.replays}>
      <Section
        title="Replays"
        aside={replays.length < mostListed ? plural(replays.length, "replay") : `the newest ${mostListed}`}
      >
        <DataTable
          caption="Replays of this chat, newest first"
          columns={columns}
          rows={replays}
          rowKey={(r) => r.id}
          rowLink={(r) => `/chats/${r.id}`}
          narrow={(r) => ({
            first: [<Outcome key="o" replay={r} />, <Time key="t" at={r.at} />],
            second: [<By key="b" replay={r} />, null],
          })}
        />
      </Section>
    </div>
  );
}

function Outcome({ replay: { outcome } }: { replay: Replay }) {
  return <Status name={outcome.name} word={outcome.name === "waiting" ? untitled(outcome.title) : undefined} />;
}

function By({ replay }: { replay: Replay }) {
  return (
    <span>
      {replay.by.name === "" ? <span className="sc-dim">not known any more</span> : replay.by.name}
      {replay.forced && <span className="sc-dim">, forced</span>}
    </span>
  );
}

/** On a replay: of which chat, by whom, and whether it was forced. */
export function Original({ page }: { page: ChatPage }) {
  if (page.replay_of === undefined) return null;
  return (
    <p className={classes.original}>
      <IconRepeat size={16} stroke={1.75} aria-hidden="true" />
      <span>
        Replay of <OriginalLink id={page.replay_of} />
        {page.replayed_by !== undefined && `, by ${page.replayed_by.name}`}.
        {page.forced && " It was forced: the conversation was probably over."}
      </span>
    </p>
  );
}

function OriginalLink({ id }: { id: string }) {
  const original = useQuery(chatQuery(id)).data;
  return (
    <Link to="/chats/$chatId" params={{ chatId: id }}>
      {original === undefined ? (
        "an earlier chat"
      ) : (
        <>
          the chat of <Time at={original.chat.received_at} />
        </>
      )}
    </Link>
  );
}
