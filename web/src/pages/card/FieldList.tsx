// The fields of all sources with the test visitor's values; a click puts one on the card or takes it off. Of a
// source with a thousand fields the usual ones are offered, and a search finds the rest.
import { Button, TextInput } from "@mantine/core";
import { IconCheck, IconPlus, IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { asProblem } from "../../api/problem";
import type { CardLine, Field } from "../../api/queries";
import { KindIcon } from "../../parts/KindIcon";
import { count, plural } from "../../parts/text";
import type { SourceFields } from "./draft";
import { FieldKind } from "./FieldKind";
import { find, fits } from "./find";
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
const page = 40; // rows drawn of one source until somebody asks for more

export function FieldList({ sources, ...props }: Props) {
  const [typed, setTyped] = useState("");
  const search = useDeferredValue(typed.trim());
  const total = sources.known.reduce((n, s) => n + s.fields.length, 0);
  return (
    <div>
      {total >= manyFields && (
        <TextInput
          className={classes.search}
          size="sm"
          aria-label="Find a field"
          placeholder={`Find one of ${plural(total, "field")}`}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          leftSection={<IconSearch size={16} stroke={1.75} aria-hidden="true" />}
        />
      )}
      {search !== "" && !sources.known.some((s) => s.fields.some((f) => fits(f, search))) && (
        <p className={classes.nothing} role="status">
          No field is called “{search}”.
        </p>
      )}
      {sources.known.map((source) => (
        // A new search begins with the first page again.
        <Fields key={`${source.connectionId} ${search}`} source={source} search={search} {...props} />
      ))}
      {sources.failed.map(({ source, error }) => (
        <Source key={source.id} name={source.name} kind={source.kind}>
          <p className={classes.none}>
            {asProblem(error).message}{" "}
            <Link to="/sources/$connectionId" params={{ connectionId: source.id }}>
              Check it
            </Link>
          </p>
        </Source>
      ))}
    </div>
  );
}

function Source({ name, kind, children }: { name: string; kind: string; children: ReactNode }) {
  return (
    <section className={classes.source} aria-label={`Fields of ${name}`}>
      <h3 className={classes.name}>
        <KindIcon kind={kind} size={16} />
        {name}
      </h3>
      {children}
    </section>
  );
}

interface FieldsProps extends Omit<Props, "sources"> {
  source: SourceFields;
  search: string;
}

function Fields({ source, search, lines, valueOf, onPick, onDrop }: FieldsProps) {
  const [limit, setLimit] = useState(page);
  const [minor, setMinor] = useState(false);
  const found = useMemo(() => find(source.fields, { search, minor, limit }), [source.fields, search, minor, limit]);
  const { connectionId } = source;
  if (search !== "" && found.fitting === 0) return null;
  if (source.fields.length === 0) {
    return (
      <Source name={source.name} kind={source.kind}>
        <p className={classes.none}>
          No fields yet.{" "}
          <Link to="/sources/$connectionId" params={{ connectionId }}>
            Look at it
          </Link>
        </p>
      </Source>
    );
  }
  return (
    <Source name={source.name} kind={source.kind}>
      {found.groups.map((group) => (
        <div key={group.name}>
          {found.groups.length > 1 && group.name !== "" && <h4 className={classes.group}>{group.name}</h4>}
          <ul>
            {group.fields.map((field) => (
              <li key={field.id}>
                <Pick
                  field={field}
                  value={valueOf(connectionId, field.id)}
                  used={lines.some((l) => l.connection_id === connectionId && l.field === field.id)}
                  onPick={() => onPick(connectionId, field)}
                  onDrop={() => onDrop(connectionId, field.id)}
                />
              </li>
            ))}
          </ul>
        </div>
      ))}
      <div className={classes.rest}>
        {found.drawn < found.fitting && (
          <>
            <p className={classes.none}>
              {count(found.drawn)} of {plural(found.fitting, "field")}. {search === "" ? "Search" : "Add a word"} to
              find the one you want.
            </p>
            <Button variant="subtle" size="compact-sm" onClick={() => setLimit(limit + 3 * page)}>
              Show more of {source.name}
            </Button>
          </>
        )}
        {found.minor > 0 && found.drawn === found.fitting && (
          <Button variant="subtle" size="compact-sm" onClick={() => setMinor(true)}>
            Show {count(found.minor)} rarely used ones too
          </Button>
        )}
      </div>
    </Source>
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
      title={field.label === field.id ? undefined : field.id}
    >
      <FieldKind kind={field.kind} />
      <span className={classes.id} data-raw={field.label === field.id || undefined}>
        {field.label || field.id}
      </span>
      <span className={classes.value}>{shown === undefined ? "" : shown === "" ? "empty" : shown}</span>
      {used ? (
        <IconCheck className={classes.mark} size={16} stroke={2} aria-hidden="true" />
      ) : (
        <IconPlus className={classes.mark} size={16} stroke={1.75} aria-hidden="true" />
      )}
    </button>
  );
}
