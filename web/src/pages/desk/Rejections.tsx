// Requests to the callback URL that were refused: when, why, and what is known of them.
import type { UseQueryResult } from "@tanstack/react-query";
import type { Schemas } from "../../api/client";
import { CopyId } from "../../parts/CopyField";
import { DataTable, Dash, type Column } from "../../parts/DataTable";
import { Loaded } from "../../parts/States";
import { StatusShape } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { plural } from "../../parts/text";
import classes from "./Rejections.module.css";

type Rejection = Schemas["Rejection"];

const columns: Column<Rejection>[] = [
  { key: "at", head: "Time", cell: (r) => <Time at={r.at} />, width: "112px" },
  { key: "why", head: "Why", cell: (r) => <Why rejection={r} /> },
  { key: "bytes", head: "Size", cell: (r) => plural(r.bytes, "byte"), align: "right", width: "100px" },
  { key: "hash", head: "Body, SHA-256", cell: (r) => <Hash rejection={r} />, width: "140px" },
];

export function Rejections({ query }: { query: UseQueryResult<Rejection[]> }) {
  return (
    <Loaded query={query} what="Rejected requests" rows={3}>
      {(list) =>
        list.length === 0 ? (
          <p className="sc-dim">None. Every request so far was a real one.</p>
        ) : (
          <DataTable
            caption="Rejected requests, newest first"
            columns={columns}
            rows={list}
            rowKey={(r) => r.id}
            narrow={(r) => ({
              first: [<Why key="w" rejection={r} />, ""],
              second: [<Time key="t" at={r.at} />, plural(r.bytes, "byte")],
            })}
          />
        )
      }
    </Loaded>
  );
}

function Why({ rejection }: { rejection: Rejection }) {
  const headers = Object.entries(rejection.headers);
  return (
    <div className={classes.why}>
      <StatusShape name="rejected" />
      <div>
        {rejection.reason}
        {headers.length > 0 && (
          <details className={classes.headers}>
            <summary>{plural(headers.length, "header")}</summary>
            {headers.map(([name, value]) => (
              <code key={name}>
                {name}: {value}
              </code>
            ))}
          </details>
        )}
      </div>
    </div>
  );
}

function Hash({ rejection }: { rejection: Rejection }) {
  if (rejection.body_sha256 === undefined) return <Dash spoken="not kept" />;
  return (
    <CopyId value={rejection.body_sha256} short={`${rejection.body_sha256.slice(0, 8)}…`} name="hash of the body" />
  );
}
