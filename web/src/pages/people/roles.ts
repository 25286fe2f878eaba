// What each role may do, and who may give and take it.
import { atLeast, may, roles, type Role } from "../../api/may";

export const roleWords: Record<Role, string> = { viewer: "Viewer", member: "Member", admin: "Admin", owner: "Owner" };

export const roleMeanings: Record<Role, string> = {
  viewer: "Looks at everything but the audit log and tokens.",
  member: "Works with chats, the card and CSV lists.",
  admin: "Sets up LiveSupporti, sources, the team and tokens.",
  owner: "May delete the company’s account, and make owners.",
};

/** grantable are the roles that somebody may give: none above their own. */
export function grantable(own: Role): readonly Role[] {
  return may(own, "invite") ? roles.filter((r) => atLeast(own, r)) : [];
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
  if (!may(own, "updateMember")) return "Admins and owners change roles.";
  if (!atLeast(own, member.role)) return "Only an owner changes an owner’s role.";
  if (lastOwner(member, all)) return "The last owner stays one.";
  return undefined;
}
