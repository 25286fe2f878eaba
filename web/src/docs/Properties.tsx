// The properties of a schema: name, type, limits, meaning. What is nested is folded away.
import { limitsText, typeText, type Document, type Schema } from "./document";
import classes from "./Reference.module.css";

interface Row {
  name: string;
  schema: Schema;
  required: boolean;
}

interface Props {
  resolve: Document["resolve"];
  schema?: Schema;
  rows?: Row[];
  inside?: readonly string[];
}

/** Shows the rows, or else the properties of the schema. `inside` are the schemas around it: none is shown in itself. */
export function Properties({ resolve, schema, rows, inside = [] }: Props) {
  const list = rows ?? (schema === undefined ? [] : rowsOf(schema, resolve));
  if (list.length === 0) return schema && <p className={classes.plain}>{typeText(schema, resolve)}</p>;
  return (
    <dl className={classes.properties}>
      {list.map((row) => (
        <Property key={row.name} row={row} resolve={resolve} inside={inside} />
      ))}
    </dl>
  );
}

function Property({ row, resolve, inside }: { row: Row; resolve: Document["resolve"]; inside: readonly string[] }) {
  const { schema } = resolve(row.schema);
  const limits = limitsText(schema);
  const nested = nestedOf(row.schema, resolve);
  return (
    <div>
      <dt>
        <code>{row.name}</code>
        {row.required && <span className={classes.required}>required</span>}
      </dt>
      <dd>
        <span className={classes.type}>
          {typeText(row.schema, resolve)}
          {schema.enum !== undefined && <code> {schema.enum.join(" · ")}</code>}
          {limits !== "" && `, ${limits}`}
        </span>
        {(row.schema.description ?? schema.description) && (
          <span className={classes.meaning}>{row.schema.description ?? schema.description}</span>
        )}
        {nested !== undefined && !inside.includes(nested.name) && (
          <details className={classes.nested}>
            <summary>{nested.name || "Its properties"}</summary>
            <Properties
              resolve={resolve}
              schema={nested.schema}
              inside={nested.name === "" ? inside : [...inside, nested.name]}
            />
          </details>
        )}
      </dd>
    </div>
  );
}

function rowsOf(schema: Schema, resolve: Document["resolve"]): Row[] {
  const found = resolve(schema).schema;
  return Object.entries(found.properties ?? {}).map(([name, s]) => ({
    name,
    schema: s,
    required: found.required?.includes(name) ?? false,
  }));
}

function nestedOf(schema: Schema, resolve: Document["resolve"]): { name: string; schema: Schema } | undefined {
  const found = resolve(schema);
  if (found.schema.type === "array" && found.schema.items !== undefined) return nestedOf(found.schema.items, resolve);
  return found.schema.properties === undefined ? undefined : found;
}
