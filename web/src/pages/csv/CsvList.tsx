// One list: the upload while it runs, how the file was read, what was left out and why, and proof that a
// customer is in.
import { Button, Progress, Select } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { allowed } from "../../api/may";
import {
  card as cardQuery,
  connection as connectionQuery,
  fields,
  type Connection,
  type ImportReport,
} from "../../api/queries";
import { useUpload, type Upload } from "../../api/upload";
import { DataTable, type Column } from "../../parts/DataTable";
import { Note, ProblemNote } from "../../parts/Note";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page, Section } from "../../parts/Page";
import { Failed, Loading } from "../../parts/States";
import { StatusShape } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { count, plural } from "../../parts/text";
import { TryEmail } from "../../parts/TryEmail";
import { DeleteSource } from "../sources/DeleteSource";
import { DropZone } from "./DropZone";
import { readHeader } from "./header";
import { send } from "./send";
import classes from "./CsvList.module.css";

const back = { to: "/csv", label: "CSV data" };

export function CsvList() {
  const { connectionId } = useParams({ from: "/inside/csv/$connectionId" });
  const query = useQuery(connectionQuery(connectionId));
  if (query.data !== undefined) return <List key={connectionId} source={query.data} />;
  return (
    <Page title={query.error ? "This list did not load" : "One moment"} tab="CSV data" back={back}>
      {query.error ? (
        <Failed what="The list" error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Loading what="the list" />
      )}
    </Page>
  );
}

function List({ source }: { source: Connection }) {
  const queries = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const upload = useUpload(source.id);
  const running = upload?.state === "sending" || upload?.state === "reading";
  const report = upload?.state === "done" ? upload.report : source.last_import;
  const take = (file: File, column?: string) => void send(queries, source.id, file, column);
  return (
    <Page
      title={running ? `Import ${upload.file.name}` : source.name}
      tab={source.name}
      back={back}
      lead={
        running ? (
          source.last_import && "Agents keep seeing the old rows until the new ones are complete."
        ) : report ? (
          <>
            {plural(report.rows, "row")} from {report.filename}, <Time at={report.at} />
          </>
        ) : (
          "No data yet. Until a file is read, nobody is found in this list."
        )
      }
      actions={
        running ? (
          <Button variant="default" onClick={upload.stop}>
            Stop the import
          </Button>
        ) : (
          <Button variant="default" component={Link} to={`/sources/${source.id}`}>
            {allowed("updateConnection") ? "Check and rename" : "See it as a source"}
          </Button>
        )
      }
    >
      {upload !== undefined && (
        <Outcome upload={upload} take={take} kept={source.last_import !== undefined} remove={() => setRemoving(true)} />
      )}
      <DeleteSource source={source} opened={removing} close={() => setRemoving(false)} />
      <NextStep source={source} done={upload?.state === "done"} />
      <div className={classes.columns}>
        {report !== undefined && (
          <div>
            <Section title="How we read it">
              <HowRead report={report} />
            </Section>
            {allowed("lookUp") && (
              <div className={classes.proof}>
                <Proof connectionId={source.id} />
              </div>
            )}
          </div>
        )}
        <div className={report === undefined ? classes.wide : undefined}>
          {report !== undefined && report.rejected > 0 && <Rejected report={report} />}
          {!allowed("importFile") ? (
            <OnlyFor action="importFile" what="Uploads" />
          ) : (
            <DropZone
              title={report ? "Drop a newer file, or choose one" : "Drop a file, or choose one"}
              disabled={running}
              onFile={(file) => take(file)}
            >
              {report
                ? "It replaces all rows at once, when it has been read to its end."
                : "A CSV or TSV file with a header, and a column with the e-mail address."}
            </DropZone>
          )}
        </div>
      </div>
    </Page>
  );
}

interface OutcomeProps<U extends Upload = Upload> {
  upload: U;
  take: (file: File, column?: string) => void;
  /** There are rows from before. */
  kept: boolean;
  remove: () => void;
}

function Outcome({ upload, take, kept, remove }: OutcomeProps) {
  if (upload.state === "failed") return <NotImported upload={upload} take={take} kept={kept} remove={remove} />;
  const percent = upload.state === "sending" ? Math.floor(upload.sent * 100) : 100;
  const headline = { sending: `Uploading, ${percent}%`, reading: "Reading the rows", done: "Imported" }[upload.state];
  return (
    <section className={classes.progress} aria-label="Import">
      <div className={classes.progressHead}>
        <h2>{headline}</h2>
        <span>
          {upload.state === "done"
            ? plural(upload.report.rows + upload.report.rejected, "row")
            : size(upload.file.size)}
        </span>
      </div>
      <span className="sc-sr" role="status">
        {upload.state === "sending" ? "Uploading" : headline}
      </span>
      <Progress
        value={percent}
        size={11}
        color="var(--sc-part-source)"
        animated={upload.state === "reading"}
        aria-label="Progress of the import"
      />
      {upload.state === "done" && <Counts report={upload.report} />}
    </section>
  );
}

function Counts({ report }: { report: ImportReport }) {
  return (
    <ul className={classes.counts}>
      <li>
        <StatusShape name="working" />
        <span>
          <strong>{count(report.rows - report.repeated)}</strong> in use
        </span>
      </li>
      {report.repeated > 0 && (
        <li>
          <StatusShape name="no_match" />
          <span>
            <strong>{count(report.repeated)}</strong> repeated, the last one counts
          </span>
        </li>
      )}
      {report.rejected > 0 && (
        <li className={classes.bad}>
          <StatusShape name="failing" />
          <span>{count(report.rejected)} rejected</span>
        </li>
      )}
    </ul>
  );
}

// When the address column is the trouble, the fix is right here: choose it, and the same file goes again.
function NotImported({ upload, take, kept, remove }: OutcomeProps<Extract<Upload, { state: "failed" }>>) {
  const aboutColumn =
    upload.problem.fields.some((f) => /^\/?email_column$/.test(f.pointer)) ||
    upload.problem.code.endsWith("no_email_column");
  return (
    <div className={classes.progress} data-plain="">
      <ProblemNote
        problem={upload.problem}
        title={`${upload.file.name} was not imported`}
        actions={aboutColumn && <ChooseColumn file={upload.file} take={take} />}
      />
      <p className={classes.kept}>
        {kept ? (
          "The rows from before still answer."
        ) : (
          <>
            The list stays, without rows: put the file right and choose it again
            {allowed("deleteConnection") && (
              <>
                , or{" "}
                <button type="button" className={classes.remove} onClick={remove}>
                  remove the list
                </button>
              </>
            )}
            .
          </>
        )}
      </p>
    </div>
  );
}

function ChooseColumn({ file, take }: { file: File; take: (file: File, column?: string) => void }) {
  const [columns, setColumns] = useState<string[]>([]);
  const [column, setColumn] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    void readHeader(file).then((names) => {
      if (!gone) setColumns([...new Set(names.filter(Boolean))]);
    });
    return () => {
      gone = true;
    };
  }, [file]);
  if (columns.length === 0) return null;
  return (
    <div className={classes.choose}>
      <Select
        label="Column with the e-mail"
        placeholder="Choose a column"
        data={columns}
        value={column}
        onChange={setColumn}
        searchable={columns.length > 12}
      />
      <Button color="vermilion" disabled={column === null} onClick={() => take(file, column ?? undefined)}>
        Import with this column
      </Button>
    </div>
  );
}

// The newcomer's way goes on at the card.
function NextStep({ source, done }: { source: Connection; done: boolean }) {
  const card = useQuery(cardQuery());
  if (!done || !allowed("publishCard") || card.data === undefined || source.on_card) return null;
  return (
    <div className={classes.next}>
      <Note
        tone="good"
        title={card.data.version === 0 ? "Now choose what your agents see" : "These rows are not on the card yet"}
        actions={
          <Button component={Link} to="/card" size="compact-md">
            {card.data.version === 0 ? "Make the card" : "Open the card"}
          </Button>
        }
      />
    </div>
  );
}

const delimiters: Record<string, string> = { ",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar" };

function HowRead({ report }: { report: ImportReport }) {
  return (
    <dl className={classes.facts}>
      <div>
        <dt>Column with the e-mail</dt>
        <dd>
          <code>{report.email_column}</code>
        </dd>
      </div>
      <div>
        <dt>Separator</dt>
        <dd>{delimiters[report.delimiter] ?? report.delimiter}</dd>
      </div>
      <div>
        <dt>Encoding</dt>
        <dd>{report.encoding}</dd>
      </div>
      <div>
        <dt>{plural(report.columns.length, "column")}</dt>
        <dd>{report.columns.join(", ")}</dd>
      </div>
    </dl>
  );
}

function Proof({ connectionId }: { connectionId: string }) {
  const { data } = useQuery(fields(connectionId));
  return (
    <TryEmail
      connectionId={connectionId}
      title="Is a customer in?"
      known={new Map(data?.map((f) => [f.id, f.label]))}
    />
  );
}

type Reject = ImportReport["rejects"][number];

const rejectColumns: Column<Reject>[] = [
  { key: "line", head: "Line", cell: (r) => count(r.line), align: "right", width: "72px" },
  { key: "reason", head: "Why it was left out", cell: (r) => r.reason },
];

function Rejected({ report }: { report: ImportReport }) {
  return (
    <div className={classes.rejected}>
      <Section
        title={`${plural(report.rejected, "row")} left out`}
        aside={report.rejected > report.rejects.length ? `the first ${report.rejects.length}` : undefined}
      >
        <DataTable
          caption="Rows that were left out"
          columns={rejectColumns}
          rows={report.rejects}
          rowKey={(r) => `${r.line} ${r.code}`}
        />
      </Section>
    </div>
  );
}

function size(bytes: number): string {
  if (bytes < 1000) return plural(bytes, "byte");
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value.toLocaleString("en-GB", { maximumFractionDigits: value < 10 ? 1 : 0 })}\u00a0${unit}`;
}
