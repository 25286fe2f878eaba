// The check of a source: run, watched, and what it advises taken with a click.
import { Button } from "@mantine/core";
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, data, type Schemas } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem } from "../../api/problem";
import { connections, type Connection } from "../../api/queries";
import { CheckSteps, type Suggestion } from "../../parts/CheckSteps";
import { ProblemNote } from "../../parts/Note";
import { Section } from "../../parts/Page";
import { Loading } from "../../parts/States";
import { Time } from "../../parts/Time";
import { plural } from "../../parts/text";

export type CheckRun = UseMutationResult<Schemas["CheckReport"], Error, void>;

/** useCheck runs checks. One is run at once, without being asked, when `now` is set. */
export function useCheck(source: Connection, now: boolean): CheckRun {
  const queries = useQueryClient();
  const check = useMutation({
    mutationFn: () =>
      data(api.POST("/api/v1/connections/{connection_id}/check", { params: { path: { connection_id: source.id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: connections().queryKey }),
  });
  const started = useRef(false);
  useEffect(() => {
    if (!now || started.current) return;
    started.current = true;
    check.mutate();
  }, [now, check]);
  return check;
}

interface Props {
  source: Connection;
  check: CheckRun;
  /** Left out for those who may not change the source. */
  take: ((suggestion: Suggestion) => void) | undefined;
  /** Something is being stored, after which the check runs again. */
  storing: boolean;
}

export function Check({ source, check, take, storing }: Props) {
  const report = check.data ?? source.last_check;
  return (
    <Section title="Check" aside={report && !check.isPending && <Time at={report.at} />} rule>
      <span className="sc-sr" role="status">
        {check.data !== undefined && !check.isPending && spoken(check.data)}
      </span>
      {check.isPending && <Loading what="the check" rows={4} />}
      {check.error !== null && !check.isPending && (
        <ProblemNote problem={asProblem(check.error)} title="The check did not run" />
      )}
      {!check.isPending && report !== undefined && <CheckSteps report={report} take={take} busy={storing} />}
      {!check.isPending && report === undefined && check.error === null && (
        <p className="sc-dim" style={{ padding: "10px 0" }}>
          {source.last_import ? `${plural(source.last_import.rows, "row")} answer.` : "Never checked."}{" "}
          {allowed("checkConnection") && (
            <Button variant="subtle" size="compact-md" onClick={() => check.mutate()}>
              Check now
            </Button>
          )}
        </p>
      )}
    </Section>
  );
}

function spoken(report: Schemas["CheckReport"]): string {
  const failed = report.steps.find((s) => s.state === "fail");
  return failed === undefined ? "The check passed." : `The check failed: ${failed.name}.`;
}
