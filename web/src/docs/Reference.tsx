// The whole API on one page: what it is, then each operation with its parameters, body and answers.
import { useEffect, useState, useSyncExternalStore } from "react";
import { readProblem, unreachable } from "../api/problem";
import { Markdown } from "../parts/Markdown";
import { Wordmark } from "../parts/Mark";
import { Failed, Loading } from "../parts/States";
import { readDocument, type Document, type Operation } from "./document";
import { Properties } from "./Properties";
import classes from "./Reference.module.css";

const address = "/openapi.yaml";

type Reading = { document?: Document; error?: Error };

export function Reference() {
  const [reading, setReading] = useState<Reading>({});
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    read(stop.signal).then(
      (document) => setReading({ document }),
      (error: Error) => {
        if (!stop.signal.aborted) setReading({ error });
      },
    );
    return () => stop.abort();
  }, [tries]);
  return (
    <div className={classes.page}>
      <a href="#main" className="sc-skip">
        Skip to the page
      </a>
      <nav className={classes.nav} aria-label="Operations">
        <a href="/" className={classes.home} aria-label="Sidecard, home">
          <Wordmark />
        </a>
        {reading.document && <Contents document={reading.document} />}
      </nav>
      <main className={classes.main} id="main">
        <h1>API</h1>
        <p className={classes.lead}>
          Everything the portal does, your own programs can do. The same as a file: <a href={address}>openapi.yaml</a>
        </p>
        {reading.error && <Failed what="The description" error={reading.error} retry={() => setTries((n) => n + 1)} />}
        {reading.document === undefined && reading.error === undefined && <Loading what="the description" rows={10} />}
        {reading.document && <Operations document={reading.document} />}
      </main>
    </div>
  );
}

async function read(signal: AbortSignal): Promise<Document> {
  const answer = await fetch(address, { signal }).catch((err: unknown) => {
    throw signal.aborted ? err : unreachable();
  });
  if (!answer.ok) throw readProblem(answer.status, undefined);
  return readDocument(await answer.text());
}

function Contents({ document }: { document: Document }) {
  return document.tags.map((tag) => (
    <div key={tag.name}>
      <p className={classes.group}>{tag.name}</p>
      <ul>
        {tag.operations.map((op) => (
          <li key={op.id}>
            <a href={`#${op.id}`}>{op.summary}</a>
          </li>
        ))}
      </ul>
    </div>
  ));
}

function Operations({ document }: { document: Document }) {
  useEffect(() => {
    // The place named in the address was not there when the browser looked for it.
    if (location.hash !== "") window.document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }, [document]);
  return (
    <>
      <Markdown text={document.description} />
      {document.tags.map((tag) => (
        <section key={tag.name} aria-label={tag.name} className={classes.tag}>
          <h2>{tag.name}</h2>
          <p className={classes.about}>{tag.description}</p>
          {tag.operations.map((op) => (
            <One key={op.id} op={op} document={document} />
          ))}
        </section>
      ))}
    </>
  );
}

// Folded to one line each, so that the page is an overview first; open when the address names it.
function One({ op, document }: { op: Operation; document: Document }) {
  const named = useHash() === `#${op.id}`;
  const [asked, setAsked] = useState(false);
  return (
    <details
      className={classes.operation}
      id={op.id}
      open={asked || named}
      onToggle={(e) => setAsked(e.currentTarget.open)}
    >
      <summary>
        <h3>{op.summary}</h3>
        <code className={classes.path}>
          <strong>{op.method}</strong> {op.path}
        </code>
      </summary>
      {op.open && <p className={classes.part}>No token needed.</p>}
      {op.description !== "" && <Markdown text={op.description} />}
      {op.parameters.length > 0 && (
        <Part title="Parameters">
          <Properties
            rows={op.parameters.map((p) => ({
              name: p.name,
              schema: { ...p.schema, description: p.description ?? p.schema?.description },
              required: p.required ?? false,
            }))}
            resolve={document.resolve}
          />
        </Part>
      )}
      {op.body && (
        <Part title={`Body, ${op.body.type}`}>
          <Properties schema={op.body.schema} resolve={document.resolve} />
        </Part>
      )}
      {op.answers.map((answer) => (
        <Part
          key={answer.status}
          title={`${answer.status === "else" ? "Any error" : answer.status}: ${answer.description}`}
          folded={answer.status === "else"}
        >
          {answer.schema && <Properties schema={answer.schema} resolve={document.resolve} />}
        </Part>
      ))}
    </details>
  );
}

function useHash(): string {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener("hashchange", changed);
      return () => window.removeEventListener("hashchange", changed);
    },
    () => window.location.hash,
  );
}

function Part({ title, folded, children }: { title: string; folded?: boolean; children?: React.ReactNode }) {
  if (!children) return <p className={classes.part}>{title}</p>;
  return (
    <details className={classes.part} open={!folded}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
