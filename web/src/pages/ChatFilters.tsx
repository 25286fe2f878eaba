// What the list of chats shows: one outcome or all, and when they came.
import { Button, Select, TextInput } from "@mantine/core";
import { backwards, type ChatFilter, type Span } from "../api/chat-filter";
import type { OutcomeName } from "../api/queries";
import { outcomeWords } from "../parts/Status";
import classes from "./ChatFilters.module.css";

const all = "all";

const outcomes = [
  { value: all, label: "All outcomes" },
  ...outcomeWords.map(([value, label]) => ({ value: value as string, label })),
];

const times: { value: Span | typeof all; label: string }[] = [
  { value: all, label: "Any time" },
  { value: "hour", label: "Last hour" },
  { value: "today", label: "Today" },
  { value: "week", label: "Last 7 days" },
  { value: "own", label: "From … to …" },
];

interface Props {
  filter: ChatFilter;
  change: (filter: ChatFilter) => void;
}

export function ChatFilters({ filter, change }: Props) {
  const wrong = backwards(filter);
  const pick = <Name extends keyof ChatFilter>(name: Name, value: ChatFilter[Name] | undefined) => {
    const { [name]: _old, ...rest } = filter;
    change(value === undefined ? rest : { ...rest, [name]: value });
  };
  const pickTime = (value: string | null) => {
    const { time: _time, from: _from, to: _to, ...rest } = filter;
    change(value === null || value === all ? rest : { ...rest, time: value as Span });
  };
  return (
    <div className={classes.filters}>
      <Select
        aria-label="Outcome"
        value={filter.outcome ?? all}
        onChange={(value) => pick("outcome", value === all ? undefined : ((value ?? undefined) as OutcomeName))}
        data={outcomes}
        maxDropdownHeight={420}
        className={classes.outcome}
      />
      <Select aria-label="Time" value={filter.time ?? all} onChange={pickTime} data={times} className={classes.time} />
      {filter.time === "own" && (
        <>
          <TextInput
            aria-label="From"
            leftSection={<Word>From</Word>}
            leftSectionWidth={54}
            type="datetime-local"
            value={filter.from ?? ""}
            onChange={(e) => pick("from", e.currentTarget.value || undefined)}
            error={wrong && "“From” has to come before “To”."}
          />
          <TextInput
            aria-label="To"
            leftSection={<Word>To</Word>}
            leftSectionWidth={36}
            type="datetime-local"
            value={filter.to ?? ""}
            onChange={(e) => pick("to", e.currentTarget.value || undefined)}
            error={wrong}
          />
        </>
      )}
      {(filter.outcome !== undefined || filter.time !== undefined) && (
        <Button variant="subtle" onClick={() => change({})}>
          {filter.outcome !== undefined && filter.time !== undefined ? "Clear the filters" : "Clear the filter"}
        </Button>
      )}
    </div>
  );
}

function Word({ children }: { children: string }) {
  return (
    <span className="sc-dim sc-small" aria-hidden="true">
      {children}
    </span>
  );
}
