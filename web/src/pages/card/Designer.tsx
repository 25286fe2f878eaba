// The card designer: fields of all sources at the left, the card's lines in the middle, what the agent would
// see at the right.
import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconHistory } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api, data } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem, type ProblemError } from "../../api/problem";
import { card as cardQuery, type Card } from "../../api/queries";
import { rememberVisitor, triedVisitor } from "../../api/visitor";
import { PlugDrawing } from "../../parts/Drawings";
import { ProblemNote } from "../../parts/Note";
import { Page, Section } from "../../parts/Page";
import { Empty, Failed, Loading } from "../../parts/States";
import { plural } from "../../parts/text";
import { exampleEmail, lineOf, lineProblems, linesOf, publishedWhen, suggest } from "./draft";
import { FieldList } from "./FieldList";
import { LineList } from "./LineList";
import { LivePreview } from "./LivePreview";
import { ReadCard } from "./ReadCard";
import { useDraft } from "./useDraft";
import { useSources, useValues, type Sources } from "./useSources";
import { Versions } from "./Versions";
import classes from "./Designer.module.css";

export function Designer() {
  return allowed("publishCard") ? <Designing /> : <ReadCard />;
}

function Designing() {
  const published = useQuery(cardQuery());
  const sources = useSources();
  const error = published.data === undefined ? (published.error ?? sources.error) : sources.error;
  if (published.data !== undefined && !sources.loading && error === null)
    return <Desk published={published.data} sources={sources} />;
  return (
    <Page title="Card">
      {error !== null ? (
        <Failed what="The card" error={error} retry={() => void published.refetch()} />
      ) : (
        <Loading what="the card" rows={8} />
      )}
    </Page>
  );
}

function Desk({ published, sources }: { published: Card; sources: Sources }) {
  const queries = useQueryClient();
  const draft = useDraft(published);
  const [open, setOpen] = useState<string | null>(null);
  const [versions, setVersions] = useState(false);
  const [typed, setTyped] = useState(() => triedVisitor() ?? exampleEmail(sources.known));
  const [email] = useDebouncedValue(/^[^\s@]+@[^\s@]+$/.test(typed.trim()) ? typed.trim() : "", 350);
  const valueOf = useValues(sources.known, email);
  const publish = useMutation({
    mutationFn: () => data(api.PUT("/api/v1/card", { body: { lines: linesOf(draft.lines), based_on: draft.basedOn } })),
    onSuccess: (card) => {
      queries.setQueryData(cardQuery().queryKey, card);
      draft.startFrom(card);
      setOpen(null);
      void queries.invalidateQueries({ queryKey: ["card", "versions"] });
      void queries.invalidateQueries({ queryKey: ["connections"], exact: true });
    },
  });
  const problem = publish.error && asProblem(publish.error);
  const next = published.version + 1;
  const unnamed = draft.lines.some((l) => l.label.trim() === "");

  if (sources.all.length === 0) return <NoSources />;
  return (
    <Page
      title="Card"
      lead={lead(published, draft.changed, draft.lines.length, unnamed)}
      actions={
        <>
          {published.version > 0 && (
            <Button
              variant="default"
              leftSection={<IconHistory size={16} stroke={1.75} aria-hidden="true" />}
              onClick={() => setVersions(true)}
            >
              Versions
            </Button>
          )}
          {(draft.changed || published.version === 0) && (
            <Button
              loading={publish.isPending}
              disabled={draft.lines.length === 0 || unnamed}
              onClick={() => publish.mutate()}
            >
              Publish v{next}
            </Button>
          )}
        </>
      }
      dock={
        <LivePreview
          typed={typed}
          setTyped={(next) => {
            setTyped(next);
            rememberVisitor(next);
          }}
          email={email}
          draft={draft}
          published={published}
          edited={draft.lines.find((l) => l.key === open)?.label}
        />
      }
    >
      {problem !== null && <NotPublished problem={problem} reload={() => void reload()} />}
      <div className={classes.columns}>
        <Section title="Fields">
          <FieldList
            sources={sources}
            lines={draft.lines}
            valueOf={valueOf}
            onPick={(connectionId, field) => {
              const line = lineOf(connectionId, field);
              draft.set((lines) => [...lines, line]);
              setOpen(null);
            }}
            onDrop={(connectionId, fieldId) =>
              draft.set((lines) => lines.filter((l) => l.connection_id !== connectionId || l.field !== fieldId))
            }
          />
        </Section>
        <Section
          title="Lines"
          aside={draft.lines.length > 0 && `${plural(draft.lines.length, "line")}, top to bottom as on the card`}
        >
          {draft.lines.length === 0 ? (
            <NoLines suggestion={suggest(sources.known)} take={(lines) => draft.set(() => lines)} />
          ) : (
            <LineList
              lines={draft.lines}
              sources={sources}
              valueOf={valueOf}
              open={open}
              setOpen={setOpen}
              problems={lineProblems(problem?.fields ?? [])}
              onChange={draft.set}
            />
          )}
        </Section>
      </div>
      <Versions
        opened={versions}
        close={() => setVersions(false)}
        current={published.version}
        take={(card) => draft.startFrom(card, published.version)}
      />
    </Page>
  );

  async function reload() {
    const card = await queries.fetchQuery({ ...cardQuery(), staleTime: 0 });
    draft.startFrom(card);
    publish.reset();
  }
}

function lead(published: Card, changed: boolean, lines: number, unnamed: boolean): ReactNode {
  const seen = published.version > 0 && `v${published.version}, published ${publishedWhen(published)}`;
  if (!seen)
    return lines === 0
      ? "What your agents see when a chat starts. Pick fields, then publish them."
      : unnamed
        ? "Give each line a label, then publish it."
        : "A draft. Agents see nothing until you publish it.";
  if (!changed) return `Agents see ${seen}. Change a line to make v${published.version + 1}.`;
  return `Draft v${published.version + 1}. Agents still see ${seen}.`;
}

function NoSources() {
  const connects = allowed("createConnection");
  return (
    <Page title="Card" lead="What your agents see when a chat starts.">
      <Empty
        drawing={<PlugDrawing />}
        title="There is no data to choose from yet"
        actions={
          connects && (
            <>
              <Button component={Link} to="/csv">
                Upload a CSV file
              </Button>
              <Link to="/sources/add">Connect another source</Link>
            </>
          )
        }
      >
        {connects
          ? "Connect what knows your customers, and its fields appear here."
          : "Once an admin or an owner has connected what knows your customers, its fields appear here."}
      </Empty>
    </Page>
  );
}

function NoLines({
  suggestion,
  take,
}: {
  suggestion: ReturnType<typeof suggest>;
  take: (lines: ReturnType<typeof suggest>) => void;
}) {
  return (
    <div className={classes.none}>
      <p>Pick fields at the left; each becomes a line of the card.</p>
      {suggestion.length > 0 && (
        <>
          <p className="sc-dim">Or begin with what agents usually want: {suggestion.map((l) => l.label).join(", ")}.</p>
          <Button variant="default" onClick={() => take(suggestion)}>
            Start with {plural(suggestion.length, "line")}
          </Button>
        </>
      )}
    </div>
  );
}

function NotPublished({ problem, reload }: { problem: ProblemError; reload: () => void }) {
  const others = problem.fields.filter((f) => !f.pointer.startsWith("/lines/"));
  return (
    <div className={classes.problem}>
      <ProblemNote
        problem={problem}
        title="Not published"
        fields={others}
        actions={
          problem.status === 409 && (
            <Button size="compact-md" color="vermilion" onClick={reload}>
              Load the published card
            </Button>
          )
        }
      />
    </div>
  );
}
