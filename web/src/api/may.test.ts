import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { allowed, leastRole, may, onlyFor, roles } from "./may";
import type { Me } from "./session";

const signedIn = vi.hoisted(() => ({ me: null as Me | null }));
vi.mock("./session", () => ({ currentMe: () => signedIn.me }));

interface Operation {
  operationId: string;
  "x-role"?: string;
}

function contractRoles(): Record<string, string> {
  const file = new URL("../../../internal/api/contract/openapi.yaml", import.meta.url);
  const { paths } = parse(readFileSync(file, "utf8")) as { paths: Record<string, Record<string, unknown>> };
  const found: Record<string, string> = {};
  for (const path of Object.values(paths)) {
    for (const operation of Object.values(path)) {
      const { operationId, "x-role": role } = (operation ?? {}) as Partial<Operation>;
      if (operationId !== undefined && role !== undefined) found[operationId] = role;
    }
  }
  return found;
}

describe("the table of roles", () => {
  it("has every operation of the contract with its role, and no other", () => {
    expect(leastRole).toEqual(contractRoles());
  });
});

describe("may", () => {
  it("lets each role do what those below it may", () => {
    for (const [action, least] of Object.entries(leastRole) as [keyof typeof leastRole, (typeof roles)[number]][]) {
      const allowedRoles = roles.filter((role) => may(role, action));
      expect(allowedRoles, action).toEqual(roles.slice(roles.indexOf(least)));
    }
  });
});

describe("allowed", () => {
  afterEach(() => {
    signedIn.me = null;
  });

  it("goes by the role of whoever is signed in", () => {
    signedIn.me = { role: "member" } as Me;
    expect(allowed("replayChats")).toBe(true);
    expect(allowed("createConnection")).toBe(false);
  });

  it("leaves the decision to the server while nobody is known", () => {
    expect(allowed("scheduleDeletion")).toBe(true);
  });
});

it("says who may", () => {
  expect(onlyFor("createToken")).toBe("only for admins and owners");
  expect(onlyFor("cancelDeletion")).toBe("only for owners");
});
