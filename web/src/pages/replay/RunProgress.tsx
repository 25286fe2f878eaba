// Replays that were started: how many were shown so far, and a way to each of them.
import { CloseButton, Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { progress, tally, type ReplayResult } from "../../api/replays";
import { asProblem } from "../../api/problem";
import { ChatTable } from "../../parts/ChatTable";
import { count, plural } from "../../parts/text";
import { startedText, tallyText } from "./words";
import classes from "./RunProgress.module.css";

const fewToList = 5; // more are folded

export function RunProgress({ run, dismiss }: { run: ReplayResult; dismiss: () => void }) {
  const ids = run.chats;
  const query = useQuery(progress(ids));
  const seen = query.data ?? {};
  const t = tally(ids, seen);
  const ended = t.shown + t.notShown;
  const chats = ids.flatMap((id) => seen[id] ?? []);
  const list = <ChatTable chats={chats} caption="The replays" short />;
  return (
    <section className={classes.run} aria-label="Progress of the replays">
      <header className={classes.head}>
        <h2>{startedText(run.replayed)}</h2>
        <CloseButton aria-label="Dismiss" onClick={dismiss} />
      </header>
      {ids.length > 0 && (
        <>
          <Progress
            value={(ended / ids.length) * 100}
            aria-label={`${count(ended)} of ${plural(ids.length, "replay")} ended`}
            size={6}
            className={classes.bar}
          />
          <p className={classes.tally}>
            {tallyText(t)}
            {ids.length < run.replayed && `, of the first ${count(ids.length)}`}
          </p>
        </>
      )}
      <p className="sc-sr" role="status">
        {t.onTheWay === 0 ? `All have ended: ${tallyText(t)}.` : startedText(run.replayed)}
      </p>
      {run.more && <p className={classes.plain}>Older chats fit too. Replay again for those.</p>}
      {query.error !== null && (
        <p className={classes.plain}>
          The progress did not load: {asProblem(query.error).message} The replays go on all the same.
        </p>
      )}
      {chats.length > 0 &&
        (ids.length <= fewToList ? (
          list
        ) : (
          <details className={classes.fold}>
            <summary>{chats.length === 1 ? "Show the one" : `Show the ${count(chats.length)}`}</summary>
            <div className={classes.list}>{list}</div>
          </details>
        ))}
    </section>
  );
}
