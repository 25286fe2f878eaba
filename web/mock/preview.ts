// The preview of a card on made-up data.
import { values } from "./fields.ts";
import { csvId, postgresId, type S } from "./tenant.ts";

export function previewOf(lines: S["CardLine"][], email: string): S["Preview"] {
  const known = email === "maya@lindqvist.se";
  const valueOf = (l: S["CardLine"]): string =>
    values[l.connection_id]?.find((v) => v.id === l.field)?.value ?? l.fallback ?? "";
  return {
    outcome: known
      ? {
          name: "shown",
          title: "This is what the agent would see.",
          message: "Found in Postgres shop-replica and Loyalty list.",
        }
      : {
          name: "no_match",
          title: "No customer with this e-mail.",
          message: "Asked Postgres shop-replica and Loyalty list. Nothing would be sent.",
        },
    card_version: 0,
    details: known ? lines.filter((l) => valueOf(l) !== "").map((l) => ({ name: l.label, value: valueOf(l) })) : [],
    left_out: known
      ? lines.filter((l) => valueOf(l) === "").map((l) => ({ label: l.label, why: "empty" as const }))
      : [],
    sources: [
      {
        connection_id: postgresId,
        name: "Postgres shop-replica",
        kind: "postgres",
        match: known ? "found" : "none",
        start_ms: 1,
        ms: 38,
      },
      {
        connection_id: csvId,
        name: "Loyalty list",
        kind: "csv",
        match: known ? "found" : "none",
        start_ms: 1,
        ms: 3.1,
      },
    ],
    ms: 41,
  };
}
