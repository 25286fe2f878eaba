// What each role may do, and who may give and take it.
import type { Schemas } from "../../api/client";

export type Role = Schemas["Role"];

/** The roles, the least first. Each may do what those before it may. */
export const roles: readonly Role[] = ["viewer", "member", "admin", "owner"];

export const roleWords: Record<Role, string> = { viewer: "Viewer", member: "Member", admin: "Admin", owner: "Owner" };

export const roleMeanings: Record<Role, string> = {
  viewer: "Looks at everything but the audit log and tokens.",
  member: "Works with chats, the card and CSV lists.",
  admin: "Sets up LiveSupporti, sources, the team and tokens.",
  owner: "May delete the company’s account, and make owners.",
};

export function atLeast(role: Role, other: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(other);
}

/** administers tells who may change the team and the company. */
export function administers(role: Role): boolean {
  return atLeast(role, "admin");
}

/** grantable are the roles that somebody may give: none above their own. */
export function grantable(own: Role): readonly Role[] {
  return administers(own) ? roles.filter((r) => atLeast(own, r)) : [];
}

interface Placed {
  user_id: string;
  role: Role;
}

/** lastOwner tells whether a tenant would be without an owner if this one were not. */
export function lastOwner(member: Placed, all: readonly Placed[]): boolean {
  return member.role === "owner" && all.filter((m) => m.role === "owner").length === 1;
}

/** fixedBecause says why a member's role stays for somebody with the role `own`; undefined when it may change. */
export function fixedBecause(own: Role, member: Placed, all: readonly Placed[]): string | undefined {
  if (!administers(own)) return "Admins and owners change roles.";
  if (!atLeast(own, member.role)) return "Only an owner changes an owner’s role.";
  if (lastOwner(member, all)) return "The last owner stays one.";
  return undefined;
}
