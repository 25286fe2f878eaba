import { expect, it } from "vitest";
import type { Connection, Connector } from "../../api/queries";
import { brokenFirst, labelsOf, place, sourceStatus, statusWord, waitsForFile } from "./describe";

function source(name: string, status: Connection["status"], settings: Connection["settings"] = {}): Connection {
  return {
    id: name,
    kind: "postgres",
    name,
    settings,
    secrets_set: [],
    status,
    on_card: false,
    created_at: "",
    updated_at: "",
  };
}

it("puts first what needs somebody", () => {
  const list = [
    source("b", "working"),
    source("d", "new"),
    source("a", "working"),
    source("c", "failing"),
    source("e", "warning"),
  ];
  expect(brokenFirst(list).map((s) => s.name)).toEqual(["c", "e", "d", "a", "b"]);
  expect(list[0]?.name).toBe("b");
});

it("says where the data is", () => {
  expect(place(source("a", "new", { host: "db.example.com", port: 5432, table: "customers" }))).toBe(
    "db.example.com · customers",
  );
  expect(place(source("a", "new", { url: "https://api.example.com/c?email={{email}}" }))).toBe("api.example.com");
  expect(place({ ...source("a", "new"), login: { state: "connected", account: "shop.com", scopes: [] } })).toBe(
    "shop.com",
  );
  expect(place(source("a", "new"))).toBe("");
});

it("lets a login that is not there outweigh the last check", () => {
  const login = (state: "none" | "connected" | "needs_reconnect") => ({ state, account: "", scopes: [] });
  expect(sourceStatus({ ...source("a", "working"), login: login("needs_reconnect") })).toBe("needs_reconnect");
  expect(sourceStatus({ ...source("a", "new"), login: login("none") })).toBe("not_connected");
  expect(sourceStatus({ ...source("a", "warning"), login: login("connected") })).toBe("warning");
  const list = [source("b", "warning"), { ...source("c", "working"), login: login("needs_reconnect") }];
  expect(brokenFirst(list).map((s) => s.name)).toEqual(["c", "b"]);
});

it("tells a list that waits for its first file from a source that was never checked", () => {
  const kind = (imports: boolean): Connector => ({
    kind: "csv",
    name: "CSV file",
    summary: "",
    imports,
    guide: "",
    settings_schema: {},
  });
  expect(statusWord(source("a", "new"), kind(true))).toBe("No data yet");
  expect(statusWord(source("a", "new"), kind(false))).toBeUndefined();
  expect(waitsForFile({ ...source("a", "working"), last_import: { rows: 1 } as never }, kind(true))).toBe(false);
});

it("tells fields that are called the same apart", () => {
  const field = (id: string, label: string, group?: string) => ({ id, label, kind: "text" as const, group });
  const labels = labelsOf([
    field("o", "Owner", "Contact"),
    field("d.o", "Owner", "Deal"),
    field("n", "Name", "Contact"),
  ]);
  expect([...labels.values()]).toEqual(["Owner (Contact)", "Owner (Deal)", "Name"]);
});
