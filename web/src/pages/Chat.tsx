// One chat: its outcome as a sentence, where the time went, each attempt, and the card as the agent saw it.
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { allowed } from "../api/may";
import { chat as chatQuery, desk as deskQuery, type ChatPage, type OutcomeName } from "../api/queries";
import { AgentCard, GhostCard, MissedCard } from "../parts/AgentCard";
import { CopyId } from "../parts/CopyField";
import { Dash } from "../parts/DataTable";
import { Note } from "../parts/Note";
import { Page } from "../parts/Page";
import { Failed, Loading } from "../parts/States";
import { failed, statusOf, StatusShape } from "../parts/Status";
import { Time } from "../parts/Time";
import { Waterfall } from "../parts/Waterfall";
import { msText, untitled } from "../parts/text";
import { footText, withAges } from "./chat-text";
import { Evidence } from "./ChatEvidence";
import { DryRun } from "./replay/DryRun";
import { Address } from "./Address";
import { Original, Replays } from "./replay/Replays";
import { ReplayDialog } from "./replay/ReplayDialog";
import { RunProgress } from "./replay/RunProgress";
import type { ReplayResult, Selection } from "../api/replays";
import classes from "./Chat.module.css";

const back = { to: "/chats", label: "Chats" };
const usualGoal = 1000; // ms, until the desk is loaded

export function Chat() {
  const { chatId } = useParams({ from: "/inside/chats/$chatId" });
  const query = useQuery(chatQuery(chatId));
  const desk = useQuery(deskQuery());
  if (query.data !== undefined)
    return <Loaded key={chatId} page={query.data} goalMs={desk.data?.goal_ms ?? usualGoal} />;
  return (
    <Page title={query.error ? "This chat did not load" : "One moment"} tab="Chat" back={back}>
      {query.error ? (
        <Failed what="The chat" error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Loading what="the chat" rows={8} />
      )}
    </Page>
  );
}

function Loaded({ page, goalMs }: { page: ChatPage; goalMs: number }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Selection>();
  const [dry, setDry] = useState(false);
  const [run, setRun] = useState<ReplayResult>();
  const { id, outcome } = page.chat;
  const gone = page.chat.details_removed === true;
  const bad = failed(outcome.name) && !gone;
  const replay = () => {
    setDry(false);
    setAsked({ chat_ids: [id] });
  };
  const started = (result: ReplayResult) => {
    setAsked(undefined);
    setRun(result);
    void queries.invalidateQueries({ queryKey: ["chats"] });
  };
  return (
    <Page
      title={untitled(outcome.title)}
      status={<StatusShape name={statusOf(page.chat)} size={26} />}
      lead={bad || gone ? undefined : <Lead page={page} goalMs={goalMs} />}
      back={back}
      actions={
        outcome.name !== "not_a_chat" &&
        !gone &&
        allowed("replayChats") && <Actions replay={replay} dryRun={() => setDry(true)} />
      }
      dock={gone ? <Remains page={page} /> : <Dock page={page} />}
    >
      <Original page={page} />
      {run !== undefined && <RunProgress run={run} dismiss={() => setRun(undefined)} />}
      {bad && (
        <div className={classes.note}>
          <Note tone="bad" title={outcome.message} actions={<Fix outcome={outcome.name} />} />
        </div>
      )}
      {gone ? (
        <div className={classes.note}>
          <Note tone="none" title={outcome.message}>
            What remains is when the chat came, how it ended and how long that took. See{" "}
            <Link to="/settings/privacy">Data and privacy</Link>.
          </Note>
        </div>
      ) : (
        <>
          <Waterfall parts={withAges(page.timeline, page.sources)} goalMs={goalMs} unseen={unseen(outcome.name)} />
          <Evidence page={page} />
        </>
      )}
      <Replays page={page} />
      <DryRun page={page} opened={dry} close={() => setDry(false)} replay={replay} />
      <ReplayDialog selection={asked} close={() => setAsked(undefined)} started={started} />
    </Page>
  );
}

function Actions({ replay, dryRun }: { replay: () => void; dryRun: () => void }) {
  return (
    <>
      <Button variant="default" onClick={dryRun}>
        Dry run
      </Button>
      <Button onClick={replay}>Replay</Button>
    </>
  );
}

function Lead({
  page: { chat, next_try_at: next, deadline_at: deadline },
  goalMs,
}: {
  page: ChatPage;
  goalMs: number;
}) {
  const spare = chat.outcome.name === "shown" && chat.ms !== undefined ? goalMs - chat.ms : 0;
  let more: ReactNode = spare > 0 ? `${msText(spare)} to spare before the goal.` : undefined;
  if (next !== undefined) {
    more = (
      <>
        Next try at <Time at={next} />
        {deadline !== undefined && (
          <>
            , the last at <Time at={deadline} />
          </>
        )}
        .
      </>
    );
  }
  return (
    <>
      {chat.outcome.message} {more}
    </>
  );
}

function unseen(name: OutcomeName): { word: string; failed: boolean } {
  if (name === "waiting") return { word: "not yet", failed: false };
  if (name === "superseded") return { word: "sees the newer chat's card", failed: false };
  return failed(name) ? { word: "gave up", failed: true } : { word: "nothing to see", failed: false };
}

// A button for who can do it; everybody else is shown where to look.
function Fix({ outcome }: { outcome: OutcomeName }) {
  const button = { size: "compact-md", color: "vermilion" } as const;
  if (outcome === "refused" || outcome === "no_credentials") {
    return (
      <Button component={Link} to="/livesupporti" hash="credentials" {...button}>
        {!allowed("updateDesk")
          ? "See the link to LiveSupporti"
          : outcome === "refused"
            ? "Check the API key"
            : "Store the API key"}
      </Button>
    );
  }
  return (
    <Button component={Link} to="/sources" {...button}>
      Check the sources
    </Button>
  );
}

function Dock({ page }: { page: ChatPage }) {
  return (
    <>
      <h2 className={classes.dockTitle}>{dockTitle(page.chat.outcome.name)}</h2>
      <TheCard page={page} />
      <h2 className={classes.ids}>This chat</h2>
      <dl className={classes.facts}>
        <Fact name="Chat" value={page.chat.id} />
        <Fact name="Webhook" value={page.notification_id} />
        <Fact name="Visitor" value={page.chat.visitor_id} />
        <Address key={page.chat.id} chat={page.chat} />
        <Fact name="Account" value={page.account_id} />
        <Fact name="Agent" value={page.agent_id} />
        <Fact name="Action" value={page.action} />
        <Received at={page.chat.received_at} />
        <div>
          <dt>Signature</dt>
          <dd>{page.unsigned ? "none, accepted by your rule" : "verified"}</dd>
        </div>
      </dl>
    </>
  );
}

/** What is still known of a chat whose details were removed. */
function Remains({ page: { chat } }: { page: ChatPage }) {
  return (
    <>
      <h2 className={classes.ids}>This chat</h2>
      <dl className={classes.facts}>
        <Fact name="Chat" value={chat.id} />
        <Received at={chat.received_at} />
      </dl>
    </>
  );
}

function Received({ at }: { at: string }) {
  return (
    <div>
      <dt>Received</dt>
      <dd>
        <Time at={at} />
      </dd>
    </div>
  );
}

function dockTitle(name: OutcomeName): string {
  if (name === "shown" || name === "shown_in_part") return "The card as the agent saw it";
  return failed(name) ? "The card the agent missed" : "The card";
}

function TheCard({ page }: { page: ChatPage }) {
  const { chat, details } = page;
  const foot = page.card_version === undefined ? undefined : footText(page.card_version, details, page.left_out);
  if (chat.outcome.name === "shown" || chat.outcome.name === "shown_in_part") {
    const tab = chat.ms === undefined ? "Seen" : `Seen after ${msText(chat.ms)}`;
    return <AgentCard tab={tab} details={details} email={chat.visitor_email} foot={foot} />;
  }
  const waiting = chat.outcome.name === "waiting";
  if (details.length > 0) {
    const tab = waiting ? "Not yet shown" : "Not shown";
    return <MissedCard tab={tab} details={details} email={chat.visitor_email} foot={foot} />;
  }
  return (
    <GhostCard tab={waiting ? "Not yet" : "No card"}>
      <h3>{untitled(chat.outcome.title)}</h3>
      <p>{chat.outcome.message}</p>
    </GhostCard>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value === "" ? <Dash spoken="none" /> : <CopyId value={value} name={name.toLowerCase()} />}</dd>
    </div>
  );
}
