// One chat: its outcome as a sentence, where the time went, each attempt, and the card as the agent saw it.
import { Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { chat as chatQuery, desk as deskQuery, type ChatPage, type OutcomeName } from "../api/queries";
import { AgentCard, GhostCard, MissedCard } from "../parts/AgentCard";
import { CopyId } from "../parts/CopyField";
import { DataTable, Dash, type Column } from "../parts/DataTable";
import { Note } from "../parts/Note";
import { Page } from "../parts/Page";
import { Failed, Loading } from "../parts/States";
import { failed, Status, StatusShape } from "../parts/Status";
import { Match } from "../parts/ChatTable";
import { Time } from "../parts/Time";
import { Waterfall } from "../parts/Waterfall";
import { ms, msText, plural, untitled } from "../parts/text";
import { leftOutText, prettyBody } from "./chat-text";
import classes from "./Chat.module.css";

const back = { to: "/chats", label: "Chats" };
const usualGoal = 1000; // ms, until the desk is loaded

export function Chat() {
  const { chatId } = useParams({ from: "/inside/chats/$chatId" });
  const query = useQuery(chatQuery(chatId));
  const desk = useQuery(deskQuery());
  if (query.data !== undefined) return <Loaded page={query.data} goalMs={desk.data?.goal_ms ?? usualGoal} />;
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
  const outcome = page.chat.outcome;
  const bad = failed(outcome.name);
  return (
    <Page
      title={untitled(outcome.title)}
      status={<StatusShape name={outcome.name} size={26} />}
      lead={bad ? undefined : leadOf(page, goalMs)}
      back={back}
      dock={<Dock page={page} />}
    >
      {bad && (
        <div className={classes.note}>
          <Note tone="bad" title={outcome.message} actions={<Fix outcome={outcome.name} />} />
        </div>
      )}
      <Waterfall parts={page.timeline} goalMs={goalMs} unseen={unseen(outcome.name)} />
      <Evidence page={page} />
    </Page>
  );
}

function leadOf({ chat }: ChatPage, goalMs: number): string {
  const spare = chat.outcome.name === "shown" && chat.ms !== undefined ? goalMs - chat.ms : 0;
  return spare > 0 ? `${chat.outcome.message} ${msText(spare)} to spare before the goal.` : chat.outcome.message;
}

function unseen(name: OutcomeName): { word: string; failed: boolean } {
  if (name === "waiting") return { word: "not yet", failed: false };
  if (name === "superseded") return { word: "sees the newer chat's card", failed: false };
  return failed(name) ? { word: "gave up", failed: true } : { word: "nothing to see", failed: false };
}

function Fix({ outcome }: { outcome: OutcomeName }) {
  const button = { size: "compact-md", color: "vermilion" } as const;
  if (outcome === "refused" || outcome === "no_credentials") {
    return (
      <Button component={Link} to="/livesupporti" hash="credentials" {...button}>
        {outcome === "refused" ? "Check the API key" : "Store the API key"}
      </Button>
    );
  }
  return (
    <Button component={Link} to="/sources" {...button}>
      Check the sources
    </Button>
  );
}

function Evidence({ page }: { page: ChatPage }) {
  const tries = page.delivery_attempts.length;
  const asked = page.sources.length;
  if (tries === 0 && asked === 0) return null;
  return (
    <Tabs defaultValue={tries > 0 ? "attempts" : "sources"} className={classes.tabs} keepMounted={false}>
      <Tabs.List>
        {tries > 0 && <Tabs.Tab value="attempts">{plural(tries, "attempt")}</Tabs.Tab>}
        {page.request_body !== undefined && <Tabs.Tab value="request">Request</Tabs.Tab>}
        {asked > 0 && <Tabs.Tab value="sources">{plural(asked, "source")}</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="attempts">
        <Attempts page={page} />
      </Tabs.Panel>
      <Tabs.Panel value="request">
        <Request page={page} />
      </Tabs.Panel>
      <Tabs.Panel value="sources">
        <Sources page={page} />
      </Tabs.Panel>
    </Tabs>
  );
}

type Attempt = ChatPage["delivery_attempts"][number];

const attemptColumns: Column<Attempt>[] = [
  { key: "number", head: "#", cell: (a) => a.number, width: "36px" },
  { key: "at", head: "Sent", cell: (a) => <Time at={a.at} precise />, width: "150px" },
  { key: "answer", head: "Answer", cell: (a) => <Answer attempt={a} /> },
  { key: "ms", head: "ms", cell: (a) => ms(a.ms), align: "right", width: "64px" },
];

function Attempts({ page }: { page: ChatPage }) {
  return (
    <>
      <DataTable
        caption="Attempts to send the details"
        columns={attemptColumns}
        rows={page.delivery_attempts}
        rowKey={(a) => String(a.number)}
        narrow={(a) => ({
          first: [<Answer key="a" attempt={a} />, `${ms(a.ms)}`],
          second: [`Attempt ${a.number}`, <Time key="t" at={a.at} precise />],
        })}
      />
      {page.next_try_at !== undefined && (
        <p className={classes.next}>
          Next try at <Time at={page.next_try_at} precise />
          {page.deadline_at !== undefined && (
            <>
              , the last at <Time at={page.deadline_at} />
            </>
          )}
        </p>
      )}
    </>
  );
}

function Answer({ attempt }: { attempt: Attempt }) {
  return (
    <div>
      <Status name={attempt.verdict === "accepted" ? "shown" : "refused"} word={attempt.message} />
      {attempt.excerpt !== undefined && attempt.excerpt !== "" && attempt.verdict !== "accepted" && (
        <pre className={classes.excerpt}>{attempt.excerpt}</pre>
      )}
    </div>
  );
}

function Request({ page }: { page: ChatPage }) {
  return (
    <>
      <p className={classes.line}>
        <code>POST /visitors/{page.chat.visitor_id}/details</code>
      </p>
      <pre className={classes.body}>{prettyBody(page.request_body ?? "")}</pre>
    </>
  );
}

type SourceTime = ChatPage["sources"][number];

const sourceColumns: Column<SourceTime>[] = [
  {
    key: "name",
    head: "Source",
    cell: (s) => (
      <Link to="/sources/$connectionId" params={{ connectionId: s.connection_id }}>
        {s.name}
      </Link>
    ),
  },
  { key: "match", head: "Answer", cell: (s) => <SourceAnswer source={s} /> },
  { key: "ms", head: "ms", cell: (s) => ms(s.ms), align: "right", width: "64px" },
];

function Sources({ page }: { page: ChatPage }) {
  return (
    <DataTable
      caption="What each source said"
      columns={sourceColumns}
      rows={page.sources}
      rowKey={(s) => s.connection_id}
    />
  );
}

function SourceAnswer({ source }: { source: SourceTime }) {
  return (
    <div>
      <Match match={source.match} />
      {source.problem !== undefined && (
        <p className="sc-small">
          {source.problem.message} {source.problem.fix}
        </p>
      )}
    </div>
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
        <Fact name="Account" value={page.account_id} />
        <Fact name="Agent" value={page.agent_id} />
        <Fact name="Action" value={page.action} />
        <div>
          <dt>Received</dt>
          <dd>
            <Time at={page.chat.received_at} />
          </dd>
        </div>
        <div>
          <dt>Signature</dt>
          <dd>{page.unsigned ? "none, accepted by your rule" : "verified"}</dd>
        </div>
      </dl>
    </>
  );
}

function dockTitle(name: OutcomeName): string {
  if (name === "shown" || name === "shown_in_part") return "The card as the agent saw it";
  return failed(name) ? "The card the agent missed" : "The card";
}

function TheCard({ page }: { page: ChatPage }) {
  const { chat, details } = page;
  const foot = footOf(page);
  if (chat.outcome.name === "shown" || chat.outcome.name === "shown_in_part") {
    const tab = chat.ms === undefined ? "Seen" : `Seen after ${msText(chat.ms)}`;
    return <AgentCard tab={tab} details={details} email={chat.visitor_email} foot={foot} />;
  }
  if (details.length > 0)
    return <MissedCard tab="Not shown" details={details} email={chat.visitor_email} foot={foot} />;
  return (
    <GhostCard tab={chat.outcome.name === "waiting" ? "Not yet" : "No card"}>
      <h3>{untitled(chat.outcome.title)}</h3>
      <p>{chat.outcome.message}</p>
    </GhostCard>
  );
}

function footOf(page: ChatPage): string | undefined {
  if (page.card_version === undefined) return undefined;
  const sent = `Card v${page.card_version}. ${plural(page.details.length, "detail")}`;
  return page.left_out.length === 0 ? `${sent}.` : `${sent}. Left out: ${page.left_out.map(leftOutText).join("; ")}.`;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value === "" ? <Dash spoken="none" /> : <CopyId value={value} name={name.toLowerCase()} />}</dd>
    </div>
  );
}
