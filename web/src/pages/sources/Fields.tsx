// The fields of a source that a card can show. Those that are rarely wanted come when asked for.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { fields, type Connection, type Field } from "../../api/queries";
import { DataTable, Dash, type Column } from "../../parts/DataTable";
import { Loaded } from "../../parts/States";
import { plural } from "../../parts/text";
import { kindWord } from "../card/FieldKind";
import { labelsOf } from "./describe";

const columns: Column<Field>[] = [
  { key: "label", head: "Field", cell: (f) => f.label },
  { key: "id", head: "Name there", cell: (f) => <code className="sc-mono">{f.id}</code> },
  { key: "group", head: "Group", cell: (f) => f.group ?? "" },
  { key: "kind", head: "Kind", cell: (f) => kindWord(f.kind) },
  { key: "sample", head: "For example", cell: (f) => f.sample || <Dash spoken="no example" /> },
];

const atFirst = 40; // rows: more than that are looked through, not read

export function Fields({ source }: { source: Connection }) {
  const query = useQuery(fields(source.id));
  if (query.error !== null && source.status === "failing")
    return <p className="sc-dim">They come once the check passes.</p>;
  return (
    <Loaded query={query} what="Fields" rows={4}>
      {(list) =>
        list.length === 0 ? (
          <p className="sc-dim">None yet. They come with the first file, or once the check passes.</p>
        ) : (
          <Table list={list} />
        )
      }
    </Loaded>
  );
}

function Table({ list }: { list: readonly Field[] }) {
  const [all, setAll] = useState(false);
  const usual = list.filter((f) => !f.minor);
  const rows = all ? list : (usual.length > 0 ? usual : list).slice(0, atFirst);
  return (
    <>
      <DataTable
        caption="Fields of this source"
        columns={columns.filter((c) => useful(c.key, list))}
        rows={rows}
        rowKey={(f) => f.id}
        narrow={(f) => ({ first: [f.label, kindWord(f.kind)], second: [f.sample, <code key="id">{f.id}</code>] })}
      />
      {rows.length < list.length && (
        <Button variant="subtle" size="compact-md" mt={8} onClick={() => setAll(true)}>
          Show all {plural(list.length, "field")}
        </Button>
      )}
    </>
  );
}

// Examples where there are some; else the group, which tells fields of the same name apart.
function useful(column: string, list: readonly Field[]): boolean {
  const examples = list.some((f) => f.sample);
  if (column === "sample") return examples;
  return column !== "group" || (!examples && new Set(list.map((f) => f.group)).size > 1);
}

/** useFieldLabels gives the labels of a source's fields by their id, in the source's order. */
export function useFieldLabels(connectionId: string): ReadonlyMap<string, string> {
  const { data } = useQuery(fields(connectionId));
  return useMemo(() => labelsOf(data ?? []), [data]);
}
