// What a chat's page can prove: each attempt with its answer, the request, and what each source said.
import { Tabs } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ChatPage } from "../api/queries";
import { Match } from "../parts/ChatTable";
import { DataTable, type Column } from "../parts/DataTable";
import { Status } from "../parts/Status";
import { Time } from "../parts/Time";
import { ageText, ms, plural } from "../parts/text";
import { prettyBody } from "./chat-text";
import classes from "./ChatEvidence.module.css";

export function Evidence({ page }: { page: ChatPage }) {
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
        <Request visitor={page.chat.visitor_id} body={prettyBody(page.request_body ?? "")} />
      </Tabs.Panel>
      <Tabs.Panel value="sources">
        <SourceAnswers sources={page.sources} />
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

/** A request to LiveSupporti with its body. */
export function Request({ visitor, body }: { visitor: string; body: string }) {
  return (
    <>
      <p className={classes.line}>
        <code>POST /visitors/{visitor}/details</code>
      </p>
      <pre className={classes.body}>{body}</pre>
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

/** What each source said, and how long it took. */
export function SourceAnswers({ sources }: { sources: readonly SourceTime[] }) {
  return (
    <DataTable caption="What each source said" columns={sourceColumns} rows={sources} rowKey={(s) => s.connection_id} />
  );
}

function SourceAnswer({ source }: { source: SourceTime }) {
  return (
    <div>
      <Match match={source.match} />
      {source.age_ms !== undefined && (
        <p className="sc-small sc-dim">From an earlier lookup, {ageText(source.age_ms)}.</p>
      )}
      {source.problem !== undefined && (
        <p className="sc-small">
          {source.problem.message} {source.problem.fix}
        </p>
      )}
    </div>
  );
}
