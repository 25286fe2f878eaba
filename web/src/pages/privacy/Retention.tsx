// For how many days the details of chats are kept. Fewer days are asked about first, since they remove something.
import { Select } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { allowed } from "../../api/may";
import { api, data } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ProblemNote } from "../../parts/Note";
import { Ask } from "../people/Ask";
import { tenant, useStale, type Tenant } from "../people/people";
import { choices, daysText } from "./retention";
import classes from "../people/people.module.css";

export function Retention({ company }: { company: Tenant }) {
  const queries = useQueryClient();
  const stale = useStale();
  const [fewer, setFewer] = useState<number>();
  const may = allowed("updateTenant");
  const update = useMutation({
    mutationFn: (retention_days: number) => data(api.PATCH("/api/v1/tenant", { body: { retention_days } })),
    onSuccess: (now) => {
      queries.setQueryData(tenant().queryKey, now);
      return stale();
    },
  });
  const kept = company.retention_days;
  const change = (chosen: string | null) => {
    const days = Number(chosen);
    if (days < kept) setFewer(days);
    else if (days > kept) update.mutate(days);
  };
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <p className={classes.text}>
        Of each chat Sidecard keeps who the visitor was, what the sources said and what was sent. Addresses and details
        are sealed with your company’s own key. When the time is over, only when the chat came and how it ended remains.
      </p>
      <Select
        label="Keep the details of a chat for"
        description={may ? undefined : "Admins and owners change it."}
        data={choices(kept).map((n) => ({ value: String(n), label: daysText(n) }))}
        value={String(kept)}
        onChange={change}
        allowDeselect={false}
        disabled={!may || update.isPending}
      />
      {update.error !== null && fewer === undefined && (
        <ProblemNote problem={asProblem(update.error)} title="The time is as it was" />
      )}
      <p role="status" className={classes.below}>
        {update.isSuccess ? `Saved: ${daysText(kept)}.` : ""}
      </p>
      <Ask
        about={fewer}
        close={() => setFewer(undefined)}
        title={(days) => `Keep details for ${daysText(days)} only?`}
        action="Keep them shorter"
        keep={`Stay at ${daysText(kept)}`}
        act={(days) => update.mutateAsync(days)}
        failed="The time is as it was"
      >
        {(days) => (
          <p>
            The details of chats older than {daysText(days)} are removed within minutes. They cannot be brought back,
            and those chats cannot be replayed.
          </p>
        )}
      </Ask>
    </div>
  );
}
