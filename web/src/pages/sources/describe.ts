// Sources in words and in the order that helps.
import type { Connection } from "../../api/queries";

const weight: Record<Connection["status"], number> = { failing: 0, warning: 1, new: 2, working: 3 };

/** brokenFirst orders sources by how much they need somebody, then by name. */
export function brokenFirst(list: readonly Connection[]): Connection[] {
  return [...list].sort((a, b) => weight[a.status] - weight[b.status] || a.name.localeCompare(b.name));
}

/** place says where a source's data is: its server and table, or its file. */
export function place(source: Connection): string {
  if (source.last_import !== undefined) return source.last_import.filename || "Uploaded file";
  const named = ["host", "database", "schema", "table"].map((key) => source.settings[key]);
  const parts = named.filter((value): value is string => typeof value === "string" && value !== "");
  return parts.join(" · ") || "No data yet";
}
