import { expect, it } from "vitest";
import type { Connection } from "../../api/queries";
import { brokenFirst, place } from "./describe";

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
  expect(place(source("a", "new"))).toBe("No data yet");
});
