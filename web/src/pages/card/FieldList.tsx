// The fields of all sources with the test visitor's values; a click puts one on the card or takes it off.
import { TextInput } from "@mantine/core";
import { IconCheck, IconPlus, IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "../../api/problem";
import type { CardLine, Field } from "../../api/queries";
import { KindIcon } from "../../parts/KindIcon";
import type { Sources, ValueOf } from "./useSources";
import classes from "./FieldList.module.css";

interface Props {
  sources: Sources;
  lines: readonly CardLine[];
  valueOf: ValueOf;
  onPick: (connectionId: string, field: Field) => void;
  onDrop: (connectionId: string, fieldId: string) => void;
}

const manyFields = 9; // from here on a search is worth its place

export function FieldList({ sources, lines, valueOf, onPick, onDrop }: Props) {
  const [search, setSearch] = useState("");
  const total = sources.known.reduce((n, s) => n + s.fields.length, 0);
  const wanted = search.trim().toLowerCase();
  return (
    <div>
      {total >= manyFields && (
        <TextInput
          className={classes.search}
          size="sm"
          aria-label="Find a field"
          placeholder="Find a field"
          value={search}
          onChange={(e) => setSearch(e.currentTarget.value)}
          leftSection={<IconSearch size={16} stroke={1.75} aria-hidden="true" />}
        />
      )}
      {sources.known.map((source) => (
        <section key={source.connectionId} className={classes.source} aria-label={`Fields of ${source.name}`}>
          <h3 className={classes.name}>
            <KindIcon kind={source.kind} size={16} />
            {source.name}
          </h3>
          {source.fields.length === 0 && (
            <p className={classes.none}>
              No fields yet.{" "}
              <Link to="/sources/$connectionId" params={{ connectionId: source.connectionId }}>
                Look at it
              </Link>
            </p>
          )}
          <ul>
            {source.fields
              .filter((f) => wanted === "" || `${f.label} ${f.id} ${f.group ?? ""}`.toLowerCase().includes(wanted))
              .map((field) => (
                <li key={field.id}>
                  <Pick
                    field={field}
                    value={valueOf(source.connectionId, field.id)}
                    used={lines.some((l) => l.connection_id === source.connectionId && l.field === field.id)}
                    onPick={() => onPick(source.connectionId, field)}
                    onDrop={() => onDrop(source.connectionId, field.id)}
                  />
                </li>
              ))}
          </ul>
        </section>
      ))}
      {sources.failed.map(({ source, error }) => (
        <section key={source.id} className={classes.source} aria-label={`Fields of ${source.name}`}>
          <h3 className={classes.name}>
            <KindIcon kind={source.kind} size={16} />
            {source.name}
          </h3>
          <p className={classes.none}>
            {asProblem(error).message}{" "}
            <Link to="/sources/$connectionId" params={{ connectionId: source.id }}>
              Check it
            </Link>
          </p>
        </section>
      ))}
    </div>
  );
}

interface PickProps {
  field: Field;
  value: string | undefined;
  used: boolean;
  onPick: () => void;
  onDrop: () => void;
}

function Pick({ field, value, used, onPick, onDrop }: PickProps) {
  const shown = value ?? field.sample;
  return (
    <button
      type="button"
      className={classes.field}
      aria-pressed={used}
      onClick={used ? onDrop : onPick}
      title={field.label === field.id ? undefined : field.label}
    >
      <code className={classes.id}>{field.id}</code>
      <span className={classes.value}>{shown === undefined ? "" : shown === "" ? "empty" : shown}</span>
      {used ? (
        <IconCheck size={16} stroke={2} aria-hidden="true" />
      ) : (
        <IconPlus size={16} stroke={1.75} aria-hidden="true" />
      )}
    </button>
  );
}
