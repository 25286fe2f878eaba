// Sources in words and in the order that helps.
import type { Connection, Connector, Field } from "../../api/queries";
import type { StatusName } from "../../parts/Status";

export type SourceStatus = Extract<StatusName, Connection["status"] | "needs_reconnect" | "not_connected">;

/** sourceStatus is a source's status, or what its login says where that is the stronger word. */
export function sourceStatus(source: Connection): SourceStatus {
  if (source.login?.state === "needs_reconnect") return "needs_reconnect";
  return source.login?.state === "none" ? "not_connected" : source.status;
}

/** waitsForLogin tells a source that can be asked nothing before somebody connects it. */
export function waitsForLogin(source: Connection): boolean {
  return source.login !== undefined && source.login.state !== "connected";
}

/** statusWord is the word beside a status' shape, where the usual one would not fit. */
export function statusWord(source: Connection, connector: Connector | undefined): string | undefined {
  return waitsForFile(source, connector) ? "No data yet" : undefined;
}

/** waitsForFile tells a list whose first file never came, or could not be read. */
export function waitsForFile(source: Connection, connector: Connector | undefined): boolean {
  return connector?.imports === true && source.last_import === undefined;
}

const weight: Record<SourceStatus, number> = {
  needs_reconnect: 0,
  failing: 0,
  not_connected: 1,
  warning: 1,
  new: 2,
  working: 3,
};

/** brokenFirst orders sources by how much they need somebody, then by name. */
export function brokenFirst(list: readonly Connection[]): Connection[] {
  const of = (source: Connection) => weight[sourceStatus(source)];
  return [...list].sort((a, b) => of(a) - of(b) || a.name.localeCompare(b.name));
}

/** place says where a source's data is: its account, its server and table, or its file. Empty while unknown. */
export function place(source: Connection): string {
  if (source.last_import !== undefined) return source.last_import.filename || "Uploaded file";
  if (source.login?.account) return source.login.account;
  const named = ["host", "database", "schema", "table"].map((key) => source.settings[key]);
  const parts = named.filter((value): value is string => typeof value === "string" && value !== "");
  return parts.join(" · ") || hostOf(source.settings.url);
}

function hostOf(url: unknown): string {
  try {
    return typeof url === "string" ? new URL(url).host : "";
  } catch {
    return "";
  }
}

/** labelsOf tells fields that are called the same apart by their group: "Owner (Deal)". */
export function labelsOf(list: readonly Field[]): ReadonlyMap<string, string> {
  const times = new Map<string, number>();
  for (const { label } of list) times.set(label, (times.get(label) ?? 0) + 1);
  return new Map(
    list.map((f) => [f.id, f.group && (times.get(f.label) ?? 0) > 1 ? `${f.label} (${f.group})` : f.label]),
  );
}
