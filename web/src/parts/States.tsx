// The four states that every list and page tells apart: loading, empty, no match, failed.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { asProblem } from "../api/problem";
import { ProblemNote } from "./Note";
import classes from "./States.module.css";

/** Loading is the shape of the rows to come. It shows after 200 ms, so that a fast answer does not flash. */
export function Loading({ rows = 6, what }: { rows?: number; what: string }) {
  return (
    <div className={classes.loading} role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className={classes.bones} aria-hidden="true">
          <span style={{ width: 66 }} />
          <span style={{ width: 15 }} />
          <span style={{ width: `${62 - ((i * 17) % 34)}%` }} />
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  drawing: ReactNode;
  title: string;
  children: ReactNode;
  actions?: ReactNode;
}

/** Empty says what will come here, and offers the one thing that brings it. Also for "no match". */
export function Empty({ drawing, title, children, actions }: EmptyProps) {
  return (
    <div className={classes.empty}>
      {drawing}
      <h2 className={classes.title}>{title}</h2>
      <p>{children}</p>
      {Boolean(actions) && <div className={classes.actions}>{actions}</div>}
    </div>
  );
}

/** Failed says what did not load, why, and offers to try again. */
export function Failed({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  return (
    <ProblemNote
      problem={asProblem(error)}
      title={`${what} did not load`}
      actions={
        retry && (
          <Button size="compact-md" color="vermilion" onClick={retry}>
            Try again
          </Button>
        )
      }
    />
  );
}

/** Loaded shows a query's data, or its loading or failure. What was loaded once stays when a later look fails. */
export function Loaded<T>({
  query,
  what,
  rows,
  children,
}: {
  query: Pick<UseQueryResult<T>, "data" | "error" | "refetch">;
  what: string;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Failed what={what} error={query.error} retry={() => void query.refetch()} />;
  return <Loading rows={rows} what={what.toLowerCase()} />;
}
