import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { limitsText, readDocument, typeText } from "./document";

const text = readFileSync("../internal/api/contract/openapi.yaml", "utf8"); // tests run in web/
const doc = readDocument(text);

describe("readDocument", () => {
  it("shows every operation of the contract under exactly one tag", () => {
    const ids = [...text.matchAll(/operationId: (\w+)/g)].map((m) => m[1]);
    const shown = doc.tags.flatMap((t) => t.operations.map((o) => o.id));
    expect(shown.sort()).toEqual(ids.sort());
    expect(ids.length).toBeGreaterThan(20);
  });
  it("resolves shared parameters, answers and schemas", () => {
    const check = doc.tags.flatMap((t) => t.operations).find((o) => o.id === "checkConnection")!;
    expect(check.parameters.map((p) => p.name)).toEqual(["connection_id"]);
    expect(check.answers.find((a) => a.status === "else")?.type).toBe("application/problem+json");
    expect(doc.resolve(check.answers[0]!.schema!).name).toBe("CheckReport");
  });
  it("knows which calls need no token", () => {
    const open = doc.tags.flatMap((t) => t.operations).filter((o) => o.open);
    expect(open.map((o) => o.id)).toContain("signUp");
    expect(open.map((o) => o.id)).not.toContain("getDesk");
  });
});

describe("words", () => {
  it("says types and limits", () => {
    expect(typeText({ type: "array", items: { $ref: "#/components/schemas/CardLine" } }, doc.resolve)).toBe(
      "list of CardLine",
    );
    expect(typeText({ type: "string", format: "email" }, doc.resolve)).toBe("text, email");
    expect(limitsText({ minLength: 12, maxLength: 128 })).toBe("12 to 128 characters");
    expect(limitsText({ minimum: 0, maximum: 168, default: 24 })).toBe("0 to 168; default 24");
    expect(limitsText({})).toBe("");
  });
});
