// What a replay of a chat would send now, asked from the real sources; and what differs from what was sent then.
// Nothing is sent.
import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ChatPage } from "../../api/queries";
import { dryRun, type DryRun as Rehearsal } from "../../api/replays";
import { AgentCard, GhostCard, MissedCard } from "../../parts/AgentCard";
import { useNarrow } from "../../parts/DataTable";
import { Note } from "../../parts/Note";
import { Failed, Loading } from "../../parts/States";
import { StatusShape } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { count, msText, plural, untitled } from "../../parts/text";
import { footText, leftOutText } from "../chat-text";
import { Request, SourceAnswers } from "../ChatEvidence";
import { differenceOf, type Change } from "./changes";
import classes from "./DryRun.module.css";

interface Props {
  page: ChatPage;
  opened: boolean;
  close: () => void;
  replay: () => void;
}

export function DryRun({ page, opened, close, replay }: Props) {
  const narrow = useNarrow();
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Dry run"
      size={940}
      fullScreen={narrow}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Rehearsing page={page} close={close} replay={replay} />
    </Modal>
  );
}

function Rehearsing({ page, close, replay }: Omit<Props, "opened">) {
  const query = useQuery(dryRun(page.chat.id));
  const again = () => void query.refetch();
  return (
    <>
      {query.error !== null && <Failed what="The dry run" error={query.error} retry={again} />}
      {query.data === undefined && query.error === null && <Loading what="the dry run" rows={7} />}
      {query.data !== undefined && query.error === null && <Result page={page} result={query.data} />}
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          Close
        </Button>
        {query.error === null && (
          <Button variant="default" loading={query.isFetching} onClick={again}>
            Run again
          </Button>
        )}
        {query.data !== undefined && replayable(query.data) && <Button onClick={replay}>Replay</Button>}
      </div>
    </>
  );
}

// What is too old can be forced; the replay's own dialog asks for that.
function replayable(result: Rehearsal): boolean {
  return result.skip === undefined || result.skip.reason === "too_old";
}

function Result({ page, result }: { page: ChatPage; result: Rehearsal }) {
  const { outcome, sources, request_body: body } = result;
  return (
    <>
      <div role="status">
        <h3 className={classes.title}>
          <StatusShape name={outcome.name} size={20} />
          {untitled(outcome.title)}
        </h3>
      </div>
      <p>{outcome.message}</p>
      <p className={classes.nothing}>Nothing was sent. It took {msText(result.ms)}.</p>
      <div className={classes.columns}>
        <div>
          <TheCard page={page} result={result} />
        </div>
        <div className={classes.facts}>
          <Verdict result={result} />
          {page.request_body !== undefined && page.details.length > 0 && (
            <Block title={<>Compared with what was sent {sentAt(page)}</>}>
              <Changes then={page.details} now={body === undefined ? [] : result.details} />
            </Block>
          )}
          {sources.length > 0 && (
            <Block title="Sources">
              <SourceAnswers sources={sources} />
            </Block>
          )}
        </div>
      </div>
      {body !== undefined && (
        <details className={classes.request}>
          <summary>The exact request, {plural(new TextEncoder().encode(body).length, "byte")}</summary>
          <Request visitor={page.chat.visitor_id} body={body} />
        </details>
      )}
    </>
  );
}

function sentAt(page: ChatPage): ReactNode {
  const last = page.delivery_attempts.at(-1);
  return (
    <>
      then
      {last !== undefined && (
        <>
          , <Time at={last.at} />
        </>
      )}
    </>
  );
}

function Verdict({ result: { skip, outcome, request_body: body } }: { result: Rehearsal }) {
  if (skip !== undefined) {
    return (
      <Note tone="warn" title="A replay would leave this chat out now">
        {skip.message}
      </Note>
    );
  }
  return (
    <Note tone="none" title={body === undefined ? "A replay would send nothing" : "A replay would send this"}>
      {body === undefined
        ? "It would look the visitor up again and end in the same way, until something changes."
        : "The visitor is looked up again then, so a value may differ."}
      {outcome.name === "no_credentials" && (
        <>
          {" "}
          <Link to="/livesupporti" hash="credentials">
            Store the API key
          </Link>
        </>
      )}
    </Note>
  );
}

function TheCard({ page, result }: { page: ChatPage; result: Rehearsal }) {
  const { details, left_out: leftOut, card_version: version, outcome } = result;
  const email = page.chat.visitor_email;
  if (details.length === 0) {
    return (
      <GhostCard tab="Dry run, no card">
        <h3>{untitled(outcome.title)}</h3>
        {leftOut.length > 0 && <p>Left out: {leftOut.map(leftOutText).join("; ")}.</p>}
      </GhostCard>
    );
  }
  const foot = footText(version, details, leftOut);
  return result.request_body === undefined ? (
    <MissedCard tab="Would not be sent" details={details} email={email} foot={foot} />
  ) : (
    <AgentCard tab={`Dry run, card v${version}`} details={details} email={email} foot={foot} />
  );
}

function Block({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <section className={classes.block}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

const words: Record<Change["what"], string> = { added: "new", changed: "changed", gone: "gone" };

function Changes({ then, now }: { then: Rehearsal["details"]; now: Rehearsal["details"] }) {
  const { changes, same, moved } = differenceOf(then, now);
  if (changes.length === 0) {
    return <p className={classes.same}>{moved ? "The same lines, in another order." : "Every line is the same."}</p>;
  }
  return (
    <>
      <ul className={classes.changes}>
        {changes.map((c, i) => (
          <li key={i} data-what={c.what}>
            <span className={classes.line}>
              <strong>{c.name}</strong>
              <span>{words[c.what]}</span>
            </span>
            {"before" in c && (
              <del>
                <span className="sc-sr">was </span>
                {c.before}
              </del>
            )}
            {"after" in c && (
              <ins>
                <span className="sc-sr">now </span>
                {c.after}
              </ins>
            )}
          </li>
        ))}
      </ul>
      {same > 0 && (
        <p className={classes.same}>{same === 1 ? "1 line is the same." : `${count(same)} lines are the same.`}</p>
      )}
    </>
  );
}
