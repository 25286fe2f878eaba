// Home: what to do next while setting up, ticked off from what is really there; the last chats and the
// health of each part.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  card,
  connections,
  latestChats,
  liveDesk,
  shownChat,
  type Card,
  type Chat,
  type Connection,
  type Desk,
} from "../api/queries";
import { allowed, onlyFor, type Action } from "../api/may";
import { currentMe } from "../api/session";
import { ChatTable } from "../parts/ChatTable";
import { Note } from "../parts/Note";
import { Page, Section } from "../parts/Page";
import { Failed, Loaded } from "../parts/States";
import { StatusShape, type StatusName } from "../parts/Status";
import { Time } from "../parts/Time";
import { count, plural } from "../parts/text";
import { PlanNotice } from "./plan/PlanNotice";
import { sourceStatus } from "./sources/describe";
import { setupSteps, verdict, type Step } from "./setup";
import classes from "./Home.module.css";

export function Home() {
  const desk = useQuery(liveDesk());
  const sources = useQuery(connections());
  const published = useQuery(card());
  const chats = useQuery(latestChats(8));
  const shown = useQuery(shownChat());
  const parts = [desk, sources, published, shown];
  const known = parts.every((q) => q.data !== undefined);
  const broken = parts.find((q) => q.error !== null && q.data === undefined);
  const steps = setupSteps({ desk: desk.data, sources: sources.data, card: published.data, shown: shown.data });
  const done = known && steps.every((s) => s.done);
  return (
    <Page title={known ? title(steps, chats.data) : "Home"} tab="Home" lead={known && lead(done, chats.data)}>
      <div className={classes.columns} data-done={done || undefined}>
        <div>
          {broken !== undefined && (
            <Failed what="Your setup" error={broken.error} retry={() => void broken.refetch()} />
          )}
          <PlanNotice className={classes.note} />
          {sources.data?.map((s) => s.login?.state === "needs_reconnect" && <Reconnect key={s.id} source={s} />)}
          {known && !done && <Setup steps={steps} />}
          <Section
            title="Latest chats"
            aside={
              <>
                <span className={classes.live} aria-hidden="true" /> live · <Link to="/chats">All chats</Link>
              </>
            }
          >
            <Loaded query={chats} what="The latest chats" rows={4}>
              {(list) =>
                list.length === 0 ? (
                  <p className={classes.none}>No chats yet. They appear here the second they start.</p>
                ) : (
                  <ChatTable chats={list} goalMs={desk.data?.goal_ms} short />
                )
              }
            </Loaded>
          </Section>
        </div>
        <Section title="Health" rule>
          <Health desk={desk.data} sources={sources.data} card={published.data} />
        </Section>
      </div>
    </Page>
  );
}

function title(steps: Step[], chats: Chat[] | undefined): string {
  const open = steps.filter((s) => !s.done).length;
  if (open === 0) return verdict(chats ?? []);
  const name = currentMe()?.user.name.split(" ")[0];
  if (open === steps.length)
    return name ? `Welcome, ${name}. Four steps to the first card` : "Four steps to the first card";
  return open === 1 ? "One step to the first card" : `${count(open)} steps to the first card`;
}

function lead(done: boolean, chats: Chat[] | undefined): string {
  if (!done) return "Each step is ticked off by itself, as soon as it really works.";
  return chats?.length ? "The latest chats, and how each part is doing." : "Everything is set up.";
}

function Reconnect({ source }: { source: Connection }) {
  return (
    <div className={classes.note}>
      <Note
        tone="bad"
        title={`${source.name}: the login was ended on the other side`}
        actions={
          allowed("beginLogin") && (
            <Button component={Link} to={`/sources/${source.id}`} size="compact-md" color="vermilion">
              {`Reconnect ${source.name}`}
            </Button>
          )
        }
      >
        {source.on_card
          ? `Cards go out without its lines. ${allowed("beginLogin") ? "Reconnect to fix it" : "An admin or an owner reconnects it"}: your card stays as it is.`
          : "Your card does not use it."}
      </Note>
    </div>
  );
}

function whose(action: Action): string {
  return `This step is ${onlyFor(action)}.`;
}

function Setup({ steps }: { steps: Step[] }) {
  const next = steps.find((s) => !s.done);
  return (
    <section className={classes.setup} aria-label="Setup">
      <ol className={classes.steps}>
        {steps.map((step, i) => (
          <li key={step.title} data-next={step === next || undefined}>
            {step.done ? (
              <StatusShape name="working" size={20} label="Done:" />
            ) : (
              <span className={classes.number}>{i + 1}</span>
            )}
            <div>
              <h2>{step.done || !allowed(step.takes) ? step.title : <Link to={step.to}>{step.title}</Link>}</h2>
              <p>{step.done || allowed(step.takes) ? step.text : whose(step.takes)}</p>
            </div>
            {step === next && allowed(step.takes) && (
              <Button component={Link} to={step.to}>
                {step.action}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Health({ desk, sources, card }: { desk?: Desk; sources?: Connection[]; card?: Card }) {
  return (
    <ul className={classes.health}>
      <HealthRow
        to="/livesupporti"
        name="LiveSupporti"
        status={
          desk === undefined
            ? "listening"
            : desk.paused
              ? "failing"
              : desk.problem
                ? "warning"
                : desk.first_signed_at
                  ? "working"
                  : "todo"
        }
      >
        {desk === undefined ? "Asking" : deskHealth(desk)}
      </HealthRow>
      {sources?.map((s) => (
        <HealthRow key={s.id} to={`/sources/${s.id}`} name={s.name} status={homeStatus(s)}>
          {sourceHealth(s)}
        </HealthRow>
      ))}
      {sources?.length === 0 && (
        <HealthRow to={allowed("createConnection") ? "/sources/add" : "/sources"} name="Sources" status="todo">
          None connected yet
        </HealthRow>
      )}
      {card !== undefined && (
        <HealthRow to="/card" name="Card" status={card.version > 0 ? "working" : "todo"}>
          {card.version > 0 ? `v${card.version}, ${plural(card.lines.length, "line")}` : "None published yet"}
        </HealthRow>
      )}
    </ul>
  );
}

function HealthRow({
  to,
  name,
  status,
  children,
}: {
  to: string;
  name: string;
  status: StatusName;
  children: React.ReactNode;
}) {
  return (
    <li>
      <StatusShape name={status} label={spokenStatus[status] ?? status} />
      <div>
        <Link to={to}>{name}</Link>
        <p>{children}</p>
      </div>
    </li>
  );
}

const spokenStatus: Partial<Record<StatusName, string>> = {
  working: "Working:",
  warning: "Needs a look:",
  failing: "Not working:",
  needs_reconnect: "Needs reconnect:",
  todo: "To do:",
  listening: "Asking:",
};

function deskHealth(desk: Desk) {
  if (desk.paused) return "Paused: it refused the login";
  if (desk.problem) return desk.problem.message;
  if (desk.last_notification_at) {
    return (
      <>
        Last chat <Time at={desk.last_notification_at} />
      </>
    );
  }
  return desk.handshake_at ? "Handshake received, no chat yet" : "Not connected yet";
}

function homeStatus(source: Connection): StatusName {
  const status = sourceStatus(source);
  return status === "new" || status === "not_connected" ? "todo" : status;
}

function sourceHealth(source: Connection) {
  if (source.login?.state === "needs_reconnect") return "The login was ended: reconnect";
  if (source.login?.state === "none") return "Not connected yet";
  const failing = source.last_check?.steps.find((s) => s.state === "fail");
  if (failing) return failing.detail;
  if (source.last_import) {
    return (
      <>
        {plural(source.last_import.rows, "row")}, uploaded <Time at={source.last_import.at} />
      </>
    );
  }
  if (source.last_check) {
    return (
      <>
        Checked <Time at={source.last_check.at} />
      </>
    );
  }
  return source.kind === "csv" ? "No data yet" : "Not checked yet";
}
