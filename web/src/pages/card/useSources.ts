// What the designer knows of the sources: their fields, and their values for the test visitor.
import { useQueries, useQuery } from "@tanstack/react-query";
import { connections, fields, lookup, type Connection } from "../../api/queries";
import type { SourceFields } from "./draft";

export interface Sources {
  loading: boolean;
  error: Error | null;
  all: Connection[];
  /** Sources whose fields are known. */
  known: SourceFields[];
  /** Sources whose fields could not be read, with the reason. */
  failed: { source: Connection; error: Error }[];
}

export function useSources(): Sources {
  const list = useQuery(connections());
  const all = list.data ?? [];
  const results = useQueries({ queries: all.map((c) => fields(c.id)) });
  return {
    loading: list.isPending || results.some((r) => r.isPending),
    error: list.data === undefined ? list.error : null,
    all,
    known: all.flatMap((c, i) => {
      const found = results[i]?.data;
      return found === undefined ? [] : [{ connectionId: c.id, name: c.name, kind: c.kind, fields: found }];
    }),
    failed: all.flatMap((c, i) => {
      const error = results[i]?.error;
      return error ? [{ source: c, error }] : [];
    }),
  };
}

/** Values by connection and field, for one visitor; none while unknown. */
export type ValueOf = (connectionId: string, fieldId: string) => string | undefined;

export function useValues(sources: readonly SourceFields[], email: string): ValueOf {
  const results = useQueries({ queries: sources.map((s) => lookup(s.connectionId, email)) });
  return (connectionId, fieldId) => {
    const i = sources.findIndex((s) => s.connectionId === connectionId);
    return results[i]?.data?.fields.find((f) => f.id === fieldId)?.value;
  };
}
