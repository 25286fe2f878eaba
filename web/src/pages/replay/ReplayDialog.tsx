// Asks before it replays: how many, how many not and why, and whether chats that are over belong to it. The button
// carries the number; when the number is another by now, it is shown and asked for again.
import { Button, Modal, Switch } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem, type ProblemError } from "../../api/problem";
import { card as cardQuery, desk as deskQuery } from "../../api/queries";
import { replay, replayCount, type ReplayCount, type ReplayResult, type Selection } from "../../api/replays";
import { Note, ProblemNote } from "../../parts/Note";
import { Failed, Loading } from "../../parts/States";
import { plural } from "../../parts/text";
import { changedText, countText, deed, lasting, moreText, sameText } from "./words";
import classes from "./ReplayDialog.module.css";

interface Props {
  /** What to replay; the dialog is open while there is something. */
  selection: Selection | undefined;
  close: () => void;
  started: (result: ReplayResult) => void;
}

export function ReplayDialog({ selection, close, started }: Props) {
  const [sending, setSending] = useState(false);
  const [shown, setShown] = useState({ selection, turn: 0 }); // stays to be seen while the dialog closes
  if (selection !== undefined && selection !== shown.selection) setShown({ selection, turn: shown.turn + 1 });
  return (
    <Modal
      opened={selection !== undefined}
      onClose={() => !sending && close()}
      title="Replay"
      size={520}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {shown.selection !== undefined && (
        <Question
          key={shown.turn}
          selection={shown.selection}
          close={close}
          started={started}
          setSending={setSending}
        />
      )}
    </Modal>
  );
}

type QuestionProps = Props & { selection: Selection; setSending: (sending: boolean) => void };

function Question({ selection, close, started, setSending }: QuestionProps) {
  const [force, setForce] = useState(false);
  const card = useQuery(cardQuery());
  const counting = useQuery({ ...replayCount(selection, force), placeholderData: keepPreviousData });
  const send = useMutation({
    mutationFn: (expect: number) => replay(selection, force, expect),
    onMutate: () => setSending(true),
    onSettled: () => setSending(false),
    onSuccess: started,
    onError: () => counting.refetch(), // the button waits for the new number
  });
  const counted = counting.data;
  const busy = counting.isFetching || send.isPending || send.isSuccess;
  return (
    <>
      {send.error !== null && (
        <div className={classes.note}>
          <NotStarted
            problem={asProblem(send.error)}
            before={send.variables ?? 0}
            after={counting.isFetching ? undefined : counted?.chats}
          />
        </div>
      )}
      {counting.error !== null && (
        <Failed what="The count" error={counting.error} retry={() => void counting.refetch()} />
      )}
      {counted === undefined && counting.isFetching && <Loading what="the count" rows={3} />}
      {counted !== undefined && counting.error === null && (
        <div aria-busy={busy} className={classes.count}>
          <Count counted={counted} card={card.data?.version} named={named(selection)} />
        </div>
      )}
      {counted !== undefined && (force || counted.skipped.some((s) => s.reason === "too_old")) && (
        <Force
          force={force}
          change={(on) => {
            send.reset();
            setForce(on);
          }}
          disabled={send.isPending}
        />
      )}
      <div className={classes.actions}>
        <Button variant="default" onClick={close} disabled={send.isPending}>
          {counted?.chats === 0 ? "Close" : "Cancel"}
        </Button>
        {counted !== undefined && counting.error === null && (counted.chats > 0 || busy) && (
          <Button loading={busy} onClick={() => !busy && send.mutate(counted.chats)}>
            {deed(counted.chats)}
          </Button>
        )}
      </div>
    </>
  );
}

function named(selection: Selection): number {
  return "chat_ids" in selection ? (selection.chat_ids?.length ?? 0) : 0;
}

function Count({ counted, card, named }: { counted: ReplayCount; card: number | undefined; named: number }) {
  const { chats, skipped, not_found: gone, more } = counted;
  const same = sameText(named, counted);
  return (
    <>
      <p className={classes.sum} role="status">
        {countText(counted)}
      </p>
      {chats > 0 && (
        <p className={classes.plain}>
          {chats === 1 ? "Its visitor is" : "Their visitors are"} looked up now and the details sent
          {card !== undefined && card > 0 && `, with card v${card}`}. Each replay is a chat of its own; the original
          keeps its outcome.
        </p>
      )}
      {same !== undefined && <p className={classes.plain}>{same}</p>}
      {more && <p className={classes.plain}>{moreText(counted)}</p>}
      {(skipped.length > 0 || gone.length > 0) && (
        <>
          <h3 className={classes.head}>Left out</h3>
          <ul className={classes.reasons}>
            {skipped.map((s) => (
              <li key={s.reason}>
                <strong>{plural(s.chats, "chat")}</strong>
                <span>{s.message}</span>
              </li>
            ))}
            {gone.length > 0 && (
              <li>
                <strong>{plural(gone.length, "chat")}</strong>
                <span>{gone.length === 1 ? "It is" : "They are"} not here any more.</span>
              </li>
            )}
          </ul>
        </>
      )}
      {chats > 0 && card === 0 && (
        <div className={classes.noCard}>
          <Note tone="warn" title="No card is published" actions={<Link to="/card">Make the card</Link>}>
            Without one, no replay shows anything.
          </Note>
        </div>
      )}
    </>
  );
}

function Force({ force, change, disabled }: { force: boolean; change: (on: boolean) => void; disabled: boolean }) {
  const desk = useQuery(deskQuery());
  const older = desk.data === undefined ? "" : ` (older than ${lasting(desk.data.deadline_seconds)})`;
  return (
    <Switch
      className={classes.force}
      label={`Also chats whose conversation is over${older}`}
      description="Their details are sent into conversations that are probably finished, where nobody may read them."
      checked={force}
      disabled={disabled}
      onChange={(e) => change(e.currentTarget.checked)}
    />
  );
}

function NotStarted({ problem, before, after }: { problem: ProblemError; before: number; after: number | undefined }) {
  if (problem.status === 409) {
    return (
      <Note tone="warn" title="The number has changed" live>
        {after === undefined ? problem.message : changedText(before, after)}
      </Note>
    );
  }
  if (problem.status !== 0 && problem.status < 500)
    return <ProblemNote problem={problem} title="Nothing was replayed" />;
  return (
    <Note tone="bad" title="It is not certain that the replay started" id={problem.requestId} live>
      {problem.message} Before you press again, look in the list of chats for replays that began just now.
    </Note>
  );
}
