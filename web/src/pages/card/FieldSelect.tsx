// Picks another field for a line. As in the list of fields, rare ones are found and not offered.
import { Select, type OptionsFilter } from "@mantine/core";
import { useMemo } from "react";
import type { CardLine, Field } from "../../api/queries";
import type { SourceFields } from "./draft";
import { fits } from "./find";

interface Props {
  line: CardLine;
  gone: boolean;
  sources: readonly SourceFields[];
  pick: (field: Pick<CardLine, "connection_id" | "field">) => void;
}

const separator = "\u0000"; // stands in no id
const mostOffered = 60; // of a thousand fields the rest is a search away

const keyOf = (connectionId: string, fieldId: string) => connectionId + separator + fieldId;
const nameOf = (f: Field) => (f.label === f.id ? f.id : `${f.label} (${f.id})`);

export function FieldSelect({ line, gone, sources, pick }: Props) {
  const chosen = keyOf(line.connection_id, line.field);
  const { options, fields } = useMemo(() => offeredBy(sources), [sources]);
  const current = fields.get(chosen);
  // Before anything is typed, the search holds the name of the chosen field.
  const filter: OptionsFilter = ({ options: all, search, limit }) => {
    const wanted = current !== undefined && search === nameOf(current) ? "" : search.trim();
    let left = limit;
    return all.map((group) => {
      if (!("items" in group)) return group;
      const items = group.items.filter(({ value }) => {
        const field = fields.get(String(value));
        if (field === undefined || left === 0) return false;
        const offered = wanted === "" ? !field.minor || value === chosen : fits(field, wanted);
        if (offered) left--;
        return offered;
      });
      return { ...group, items };
    });
  };
  return (
    <Select
      label="Field"
      data={options}
      value={gone ? null : chosen}
      placeholder={gone ? `${line.field}, gone` : undefined}
      error={gone ? "Pick another field." : undefined}
      onChange={(value) => {
        const [connection_id, field] = value?.split(separator) ?? [];
        if (connection_id && field) pick({ connection_id, field });
      }}
      searchable
      filter={filter}
      limit={mostOffered}
      nothingFoundMessage="No such field"
    />
  );
}

function offeredBy(sources: readonly SourceFields[]) {
  const fields = new Map<string, Field>();
  const options = sources.map((source) => ({
    group: source.name,
    items: source.fields.map((field) => {
      const value = keyOf(source.connectionId, field.id);
      fields.set(value, field);
      return { value, label: nameOf(field) };
    }),
  }));
  return { options, fields };
}
