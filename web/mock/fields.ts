// What each source knows of a visitor. HubSpot knows over a thousand fields, most of them of no interest.
import { csvId, hubspotId, postgresId, type S } from "./tenant.ts";

type Field = S["Field"];

const usual: [string, string, Field["kind"], string, string][] = [
  ["firstname", "First name", "text", "Contact information", "Maya"],
  ["lastname", "Last name", "text", "Contact information", "Lindqvist"],
  ["email", "Email", "text", "Contact information", "maya@lindqvist.se"],
  ["lifecyclestage", "Lifecycle stage", "text", "Contact information", "Customer"],
  ["hubspot_owner_id", "Contact owner", "text", "Contact information", "Priya Raman"],
  ["createdate", "Create date", "datetime", "Contact activity", "2024-03-02T09:12:00Z"],
  ["notes_last_contacted", "Last contacted", "datetime", "Contact activity", "2026-11-18T14:40:00Z"],
  ["hs_marketable_status", "Marketing contact", "bool", "Contact activity", "true"],
  ["interests", "Interests", "list", "Contact activity", "Touring, Gravel"],
  ["company.name", "Company name", "text", "Company", "Lindqvist Cykel AB"],
  ["company.annualrevenue", "Annual revenue", "number", "Company", "1240000"],
  ["company.founded", "Founded", "date", "Company", "2011-05-04"],
  ["deals.open_count", "Open deals", "number", "Deals", "2"],
  ["deals.open_amount", "Worth of the open deals", "number", "Deals", "18400.00"],
  ["tickets.open_count", "Open tickets", "number", "Tickets", "1"],
];

const rare = ["Analytics", "Email information", "Conversion", "Web history", "Facebook ads"].flatMap((group, g) =>
  Array.from({ length: 240 }, (_, i): Field => ({
    id: `hs_${group.toLowerCase().replaceAll(" ", "_")}_${i + 1}`,
    label: `${group}, measure ${i + 1}`,
    kind: (["number", "text", "datetime", "json"] as const)[(g + i) % 4]!,
    group,
    minor: true,
  })),
);

export const fields: Record<string, Field[]> = {
  [postgresId]: [
    { id: "full_name", label: "Full name", kind: "text", group: "customers", sample: "Maya Lindqvist" },
    { id: "email", label: "Email", kind: "text", group: "customers", sample: "maya@lindqvist.se" },
    { id: "plan", label: "Plan", kind: "text", group: "customers", sample: "Care Plus" },
    { id: "renews_on", label: "Renews on", kind: "date", group: "customers", sample: "2027-01-14" },
    { id: "last_order", label: "Last order", kind: "text", group: "customers", sample: "#48210 · Trekker 5" },
    { id: "bought_so_far", label: "Bought so far", kind: "number", group: "customers", sample: "4310.00" },
    { id: "newsletter", label: "Newsletter", kind: "bool", group: "customers", sample: "true" },
  ],
  [csvId]: [
    { id: "mail", label: "mail", kind: "text", sample: "maya@lindqvist.se" },
    { id: "name", label: "name", kind: "text", sample: "Maya Lindqvist" },
    { id: "tier", label: "tier", kind: "text", sample: "Gold" },
    { id: "note", label: "note", kind: "text", sample: "Sponsored rider 2025" },
  ],
  [hubspotId]: [
    ...usual.map(([id, label, kind, group, sample]): Field => ({ id, label, kind, group, sample })),
    ...rare,
  ],
};

export const values: Record<string, S["LookupResult"]["fields"]> = Object.fromEntries(
  Object.entries(fields).map(([id, list]) => [
    id,
    list
      .filter((f) => !f.minor)
      .map((f) => ({ id: f.id, kind: f.kind, value: f.sample ?? "" }))
      .sort((a, b) => a.id.localeCompare(b.id)),
  ]),
);
