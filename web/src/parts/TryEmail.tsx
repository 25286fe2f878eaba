// Asks one source about one address and shows what it knows. Nothing is sent to LiveSupporti.
import { Button, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";
import { asProblem } from "../api/problem";
import { card, lookup, type LookupResult } from "../api/queries";
import { rememberVisitor, triedVisitor } from "../api/visitor";
import { inOrder } from "./field-order";
import { Note, ProblemNote } from "./Note";
import { StatusShape } from "./Status";
import { maskEmail, msText, plural } from "./text";
import classes from "./TryEmail.module.css";

interface Props {
  connectionId: string;
  title?: string;
  /** The labels of the source's fields, by their id. */
  known: ReadonlyMap<string, string>;
}

export function TryEmail({ connectionId, title = "Try an e-mail", known }: Props) {
  const [typed, setTyped] = useState(() => triedVisitor() ?? "");
  const [email, setEmail] = useState("");
  const query = useQuery(lookup(connectionId, email));
  const published = useQuery(card());
  const first = published.data?.lines.filter((l) => l.connection_id === connectionId).map((l) => l.field) ?? [];
  const heading = useId();
  const ask = (event: FormEvent) => {
    event.preventDefault();
    const next = typed.trim();
    rememberVisitor(next);
    if (next === email) void query.refetch();
    setEmail(next);
  };
  return (
    <section aria-labelledby={heading}>
      <h2 id={heading} className={classes.title}>
        {title}
      </h2>
      <form onSubmit={ask} className={classes.form}>
        <TextInput
          className={classes.input}
          aria-label="A customer’s e-mail"
          placeholder="maya@example.com"
          type="email"
          inputMode="email"
          autoComplete="off"
          maxLength={254}
          value={typed}
          leftSection={<IconSearch size={16} stroke={1.75} aria-hidden="true" />}
          onChange={(e) => setTyped(e.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={query.isFetching} disabled={typed.trim() === ""}>
          Ask
        </Button>
      </form>
      <div aria-live="polite" className={classes.answer}>
        {query.error !== null && <ProblemNote problem={asProblem(query.error)} title="The source was not asked" />}
        {query.data !== undefined && query.error === null && (
          <Answer email={email} result={query.data} known={known} first={first} />
        )}
      </div>
    </section>
  );
}

interface AnswerProps {
  email: string;
  result: LookupResult;
  known: Props["known"];
  /** The fields that are on the card, in its order. */
  first: readonly string[];
}

const atFirst = 30; // values: a record may have a thousand, most of them empty

function Answer({ email, result, known, first }: AnswerProps) {
  const [all, setAll] = useState(false);
  if (result.problem !== undefined) {
    return (
      <Note tone="bad" title={result.problem.message}>
        {result.problem.fix}
      </Note>
    );
  }
  if (result.match !== "found") {
    return (
      <p className={classes.line}>
        <StatusShape name={result.match === "none" ? "no_match" : "several_matches"} />
        {result.match === "none"
          ? `Nobody with ${maskEmail(email)} here. ${msText(result.ms)}`
          : `${plural(result.matches ?? 2, "record")} with this address. Sidecard shows none, so that no agent sees the wrong one.`}
      </p>
    );
  }
  const ordered = inOrder(result.fields, first, [...known.keys()]);
  const few = ordered.length <= atFirst ? ordered : ordered.filter((f) => f.value !== "").slice(0, atFirst);
  const shown = all ? ordered : few;
  return (
    <>
      <p className={classes.line}>
        <StatusShape name="working" />
        Found in {msText(result.ms)}
      </p>
      <dl className={classes.values}>
        {shown.map((f) => (
          <div key={f.id}>
            <dt>{known.get(f.id) ?? f.id}</dt>
            <dd>{f.value === "" ? <span className="sc-dim">empty</span> : f.value}</dd>
          </div>
        ))}
      </dl>
      {shown.length < ordered.length && (
        <Button variant="subtle" size="compact-md" onClick={() => setAll(true)}>
          Show all {plural(ordered.length, "field")}
        </Button>
      )}
    </>
  );
}
