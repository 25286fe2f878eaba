// What the agent would see of one visitor: built by the server exactly as a delivery, and sent nowhere.
import { Loader, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asProblem } from "../../api/problem";
import { preview as previewQuery, type Card, type Preview } from "../../api/queries";
import { AgentCard, GhostCard } from "../../parts/AgentCard";
import { ProblemNote } from "../../parts/Note";
import { StatusShape, type StatusName } from "../../parts/Status";
import { ageText, msText, untitled } from "../../parts/text";
import { leftOutText } from "../chat-text";
import { changes, linesOf } from "./draft";
import type { Drafting } from "./useDraft";
import classes from "./LivePreview.module.css";

interface Props {
  typed: string;
  setTyped: (email: string) => void;
  email: string;
  draft: Drafting;
  published: Card;
  edited: string | undefined;
}

export function LivePreview({ typed, setTyped, email, draft, published, edited }: Props) {
  const [lines] = useDebouncedValue(linesOf(draft.lines), 350);
  const complete = lines.filter((l) => l.label !== "");
  const query = useQuery({ ...previewQuery(email, complete), placeholderData: keepPreviousData });
  const version =
    draft.changed || published.version === 0 ? `draft v${published.version + 1}` : `v${published.version}`;
  return (
    <>
      <h2 className={classes.title}>Live preview</h2>
      <TextInput
        label="A real customer’s e-mail"
        type="email"
        placeholder="maya@example.com"
        autoComplete="off"
        maxLength={254}
        value={typed}
        onChange={(e) => setTyped(e.currentTarget.value)}
        leftSection={<IconSearch size={16} stroke={1.75} aria-hidden="true" />}
        rightSection={query.isFetching ? <Loader size={16} role="img" aria-label="Looking up" /> : undefined}
      />
      <div className={classes.answer} aria-live="polite">
        {email !== "" && query.data !== undefined && complete.length > 0 && <SourcesLine preview={query.data} />}
        <Shown
          version={version}
          email={email}
          preview={complete.length > 0 ? query.data : undefined}
          error={query.error}
          empty={draft.lines.length === 0}
          edited={edited}
        />
      </div>
      {draft.changed && published.version > 0 && <Changes published={published} draft={draft} />}
    </>
  );
}

const shapes: Record<Preview["sources"][number]["match"], StatusName> = {
  found: "working",
  none: "no_match",
  ambiguous: "several_matches",
  failed: "failing",
};
const words = { found: "", none: "no match, ", ambiguous: "several, ", failed: "failed, " };

function SourcesLine({ preview }: { preview: Preview }) {
  return (
    <ul className={classes.sources}>
      {preview.sources.map((s) => (
        <li key={s.connection_id}>
          <StatusShape name={shapes[s.match]} />
          {s.name}, {words[s.match]}
          {msText(s.ms)}
          {s.age_ms !== undefined && `, ${ageText(s.age_ms)}`}
        </li>
      ))}
    </ul>
  );
}

interface ShownProps {
  version: string;
  email: string;
  preview: Preview | undefined;
  error: Error | null;
  empty: boolean;
  edited: string | undefined;
}

function Shown({ version, email, preview, error, empty, edited }: ShownProps) {
  if (empty) return <GhostCard tab="No lines yet">The card appears here with its first line.</GhostCard>;
  if (email === "")
    return (
      <GhostCard tab="Preview">Type the e-mail of a customer you know, and see their card as an agent would.</GhostCard>
    );
  if (error !== null) return <ProblemNote problem={asProblem(error)} title="There is no preview" />;
  if (preview === undefined) return <GhostCard tab="Preview">Looking up…</GhostCard>;
  if (preview.details.length === 0) {
    return (
      <GhostCard tab="No card">
        <h3>{untitled(preview.outcome.title)}</h3>
        <p>{preview.outcome.message}</p>
        <Problems preview={preview} />
      </GhostCard>
    );
  }
  const leftOut = preview.left_out.map(leftOutText).join("; ");
  return (
    <>
      <AgentCard
        tab={`Preview, ${version}`}
        details={preview.details}
        email={email}
        edited={edited}
        foot={leftOut === "" ? undefined : `Left out: ${leftOut}`}
      />
      <p className={classes.letter}>This is what will be sent, letter for letter. A preview sends nothing.</p>
      <Problems preview={preview} />
    </>
  );
}

function Problems({ preview }: { preview: Preview }) {
  return preview.sources.flatMap((s) =>
    s.problem === undefined
      ? []
      : [
          <p key={s.connection_id} className={classes.problem}>
            <strong>{s.name}:</strong> {s.problem.message} {s.problem.fix}
          </p>,
        ],
  );
}

function Changes({ published, draft }: { published: Card; draft: Drafting }) {
  return (
    <>
      <h2 className={classes.changed}>Changed since v{published.version}</h2>
      <ul className={classes.changes}>
        {changes(published.lines, linesOf(draft.lines)).map((c, i) => (
          <li key={i}>
            <strong>{c.label}</strong>
            <span>{c.what}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
