// The published card, and what it shows of Maya Lindqvist.
import { ago, csvId, postgresId, type S } from "./tenant.ts";

export const card: S["Card"] = {
  version: 7,
  published_at: ago(800_000),
  published_by: "Dana Okafor",
  lines: [
    { label: "Name", connection_id: postgresId, field: "full_name", format: "text", hide_if_empty: true },
    { label: "Plan", connection_id: postgresId, field: "plan", format: "text", hide_if_empty: true },
    { label: "Renews on", connection_id: postgresId, field: "renews_on", format: "date", hide_if_empty: true },
    { label: "Last order", connection_id: postgresId, field: "last_order", format: "text", hide_if_empty: true },
    { label: "Carrier", connection_id: postgresId, field: "carrier", format: "text", hide_if_empty: true },
    {
      label: "Bought so far",
      connection_id: postgresId,
      field: "bought_so_far",
      format: "number",
      hide_if_empty: true,
    },
    { label: "Loyalty", connection_id: csvId, field: "tier", format: "text", hide_if_empty: false, fallback: "none" },
  ],
};

export const details: S["Detail"][] = [
  { name: "Name", value: "Maya Lindqvist" },
  { name: "Plan", value: "Care Plus, renews 14 Jan 2027" },
  { name: "Last order", value: "#48210 · Trekker 5 · € 2,890" },
  { name: "Order status", value: "Shipped 20 Nov with DHL" },
  { name: "Bought so far", value: "€ 4,310.00" },
  { name: "Loyalty", value: "Gold" },
];
