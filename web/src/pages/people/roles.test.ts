// @vitest-environment jsdom
import { expect, it } from "vitest";
import type { Role } from "../../api/may";
import { fixedBecause, grantable, lastOwner } from "./roles";

const of = (user_id: string, role: Role) => ({ user_id, role });

it("lets nobody give more than they have", () => {
  expect(grantable("viewer")).toEqual([]);
  expect(grantable("member")).toEqual([]);
  expect(grantable("admin")).toEqual(["viewer", "member", "admin"]);
  expect(grantable("owner")).toEqual(["viewer", "member", "admin", "owner"]);
});

it("keeps the last owner one", () => {
  const [ann, ben] = [of("ann", "owner"), of("ben", "owner")];
  expect(lastOwner(ann, [ann, of("cy", "admin")])).toBe(true);
  expect(lastOwner(ann, [ann, ben])).toBe(false);
  expect(fixedBecause("owner", ann, [ann])).toMatch("The last owner stays one.");
  expect(fixedBecause("owner", ann, [ann, ben])).toBeUndefined();
});

it("says why a role stays", () => {
  const [ann, ben, cy] = [of("ann", "owner"), of("ben", "owner"), of("cy", "viewer")];
  expect(fixedBecause("member", cy, [ann, ben, cy])).toBe("Admins and owners change roles.");
  expect(fixedBecause("admin", ann, [ann, ben, cy])).toBe("Only an owner changes an owner’s role.");
  expect(fixedBecause("admin", cy, [ann, ben, cy])).toBeUndefined();
});
