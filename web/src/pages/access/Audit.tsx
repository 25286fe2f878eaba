// The audit log: who did what, when and from where. Entries are only ever added, and that can be checked.
import { Button } from "@mantine/core";
import { IconDownload, IconShieldCheck } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data, type Schemas } from "../../api/client";
import { asProblem } from "../../api/problem";
import { SearchDrawing } from "../../parts/Drawings";
import { Note, ProblemNote } from "../../parts/Note";
import { Page } from "../../parts/Page";
import { Empty, Failed, Loading } from "../../parts/States";
import { count, plural } from "../../parts/text";
import { audit, everyAudit } from "./access";
import { Admins } from "./Admins";
import { backwards, filters, type AuditFilter } from "./audit-filter";
import { AuditFilters } from "./AuditFilters";
import { AuditTable } from "./AuditTable";
import { exportAudit } from "../../api/download";
import classes from "./Audit.module.css";

const title = "Audit log";

export function Audit() {
  return (
    <Admins title={title} what="The audit log is">
      <Log />
    </Admins>
  );
}

function Log() {
  const queries = useQueryClient();
  const [filter, setFilter] = useState<AuditFilter>({});
  const wrong = backwards(filter);
  const query = useInfiniteQuery({ ...audit(filter), enabled: !wrong, placeholderData: keepPreviousData });
  const verify = useMutation({ mutationFn: () => data(api.POST("/api/v1/audit/verify")) });
  const download = useMutation({
    mutationFn: exportAudit,
    onSuccess: () => queries.invalidateQueries(everyAudit), // that it was taken is an entry, too
  });
  const entries = wrong ? undefined : query.data?.pages.flatMap((p) => p.entries);
  return (
    <Page
      title={title}
      lead="Who changed what here, newest first. Entries are added and never changed."
      actions={
        <>
          <Button
            variant="default"
            loading={verify.isPending}
            leftSection={<IconShieldCheck size={17} stroke={1.75} aria-hidden="true" />}
            onClick={() => verify.mutate()}
          >
            Verify
          </Button>
          <Button
            variant="default"
            loading={download.isPending}
            leftSection={<IconDownload size={17} stroke={1.75} aria-hidden="true" />}
            onClick={() => download.mutate()}
          >
            Export CSV
          </Button>
        </>
      }
    >
      {verify.data !== undefined && !verify.isPending && (
        <div className={classes.note}>
          <Verdict verdict={verify.data} />
        </div>
      )}
      {verify.error !== null && (
        <div className={classes.note}>
          <ProblemNote problem={asProblem(verify.error)} title="Not verified" />
        </div>
      )}
      {download.error !== null && (
        <div className={classes.note}>
          <ProblemNote problem={asProblem(download.error)} title="Not exported" />
        </div>
      )}
      <AuditFilters filter={filter} change={setFilter} />
      {query.error !== null && !wrong && (
        <div className={classes.note}>
          <Failed what="The audit log" error={query.error} retry={() => void query.refetch()} />
        </div>
      )}
      {query.isPending && !wrong && <Loading what="the audit log" rows={10} />}
      {entries?.length === 0 && <None filtered={filters(filter)} clear={() => setFilter({})} />}
      {entries !== undefined && entries.length > 0 && (
        <div aria-busy={query.isPlaceholderData}>
          <AuditTable entries={entries} />
          <footer className={classes.foot}>
            <span role="status">
              {plural(entries.length, "entry", "entries")}
              {query.hasNextPage ? " so far" : ", that is all"}
            </span>
            {query.hasNextPage && (
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Load more
              </Button>
            )}
          </footer>
        </div>
      )}
    </Page>
  );
}

function Verdict({ verdict }: { verdict: Schemas["AuditVerdict"] }) {
  if (verdict.ok) {
    return (
      <Note tone="good" title="The log is whole" live>
        {plural(verdict.entries, "entry is", "entries are")} as written. None was changed or removed.
      </Note>
    );
  }
  return (
    <Note tone="bad" title="The log is not as it was written" live>
      {verdict.broken_at === undefined
        ? "An entry was changed or removed."
        : `Entry ${count(verdict.broken_at)} of ${count(verdict.entries)} is missing, or does not fit the one before it.`}{" "}
      Export what is there, and tell whoever runs this Sidecard: somebody may have changed the database by hand.
    </Note>
  );
}

function None({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  if (!filtered) {
    return (
      <Empty drawing={<SearchDrawing />} title="No entries yet">
        They appear here when somebody changes something.
      </Empty>
    );
  }
  return (
    <Empty
      drawing={<SearchDrawing />}
      title="No entry fits"
      actions={
        <Button variant="default" onClick={clear}>
          Clear the filters
        </Button>
      }
    >
      Other entries are hidden by what you chose.
    </Empty>
  );
}
