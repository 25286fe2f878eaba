// Which entries are listed: one action or all, and the days.
import { Button, Select, TextInput } from "@mantine/core";
import { actionGroups } from "./actions";
import { backwards, filters, type AuditFilter } from "./audit-filter";
import classes from "./Audit.module.css";

const all = "all";
const choices = [{ value: all, label: "All actions" }, ...actionGroups];

interface Props {
  filter: AuditFilter;
  change: (filter: AuditFilter) => void;
}

export function AuditFilters({ filter, change }: Props) {
  const wrong = backwards(filter);
  const pick = (name: keyof AuditFilter, value: string | undefined) => change({ ...filter, [name]: value });
  return (
    <div className={classes.filters}>
      <Select
        label="Action"
        value={filter.action ?? all}
        data={choices}
        searchable
        nothingFoundMessage="No such action"
        maxDropdownHeight={420}
        className={classes.action}
        onChange={(value) => pick("action", value === null || value === all ? undefined : value)}
      />
      <TextInput
        label="From"
        type="date"
        value={filter.from ?? ""}
        error={wrong && "“From” has to come before “To”."}
        onChange={(e) => pick("from", e.currentTarget.value || undefined)}
      />
      <TextInput
        label="To"
        type="date"
        value={filter.to ?? ""}
        error={wrong}
        onChange={(e) => pick("to", e.currentTarget.value || undefined)}
      />
      {filters(filter) && (
        <Button variant="subtle" className={classes.clear} onClick={() => change({})}>
          Clear
        </Button>
      )}
    </div>
  );
}
