// Which role each operation takes, as `x-role` of the contract has it. What somebody may not do is not offered to them;
// the server decides all the same.
import type { Schemas } from "./client";
import { currentMe } from "./session";

export type Role = Schemas["Role"];

/** From the one that may least to the one that may most; each may do what those before it may. */
export const roles = ["viewer", "member", "admin", "owner"] as const satisfies readonly Role[];

/** The least role of every operation that a person signs in for, by operationId. */
export const leastRole = {
  me: "viewer",
  updateMe: "viewer",
  changePassword: "viewer",
  changeEmail: "viewer",
  beginSecondFactor: "viewer",
  confirmSecondFactor: "viewer",
  removeSecondFactor: "viewer",
  listSessions: "viewer",
  endOtherSessions: "viewer",
  endSession: "viewer",
  switchTenant: "viewer",
  leaveTenant: "viewer",
  getTenant: "viewer",
  getUsage: "viewer",
  updateTenant: "admin",
  eraseVisitor: "admin",
  exportTenant: "owner",
  scheduleDeletion: "owner",
  cancelDeletion: "owner",
  listMembers: "viewer",
  updateMember: "admin",
  removeMember: "admin",
  listInvitations: "admin",
  invite: "admin",
  withdrawInvitation: "admin",
  listTokens: "admin",
  createToken: "admin",
  revokeToken: "admin",
  listAudit: "admin",
  verifyAudit: "admin",
  exportAudit: "admin",
  getDesk: "viewer",
  updateDesk: "admin",
  rotateSecret: "admin",
  testDesk: "member",
  listRejections: "viewer",
  listConnectors: "viewer",
  listConnections: "viewer",
  createConnection: "admin",
  getConnection: "viewer",
  updateConnection: "admin",
  deleteConnection: "admin",
  checkConnection: "member",
  listFields: "member",
  lookUp: "member",
  beginLogin: "admin",
  endLogin: "admin",
  finishLogin: "admin",
  importFile: "member",
  getCard: "viewer",
  publishCard: "member",
  listCardVersions: "viewer",
  previewCard: "member",
  listChats: "viewer",
  getChat: "viewer",
  dryRunChat: "member",
  revealVisitor: "member",
  countReplays: "member",
  replayChats: "member",
} as const satisfies Record<string, Role>;

export type Action = keyof typeof leastRole;

/** atLeast tells whether a role may do all that another may. */
export function atLeast(role: Role, other: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(other);
}

/** may tells whether a role is enough for an action. */
export function may(role: Role, action: Action): boolean {
  return atLeast(role, leastRole[action]);
}

/** allowed tells whether to offer an action to whoever is signed in. While that is unknown, it is offered. */
export function allowed(action: Action): boolean {
  const me = currentMe();
  return me === null || may(me.role, action);
}

const enough: Record<Role, string> = {
  viewer: "everybody here",
  member: "members, admins and owners",
  admin: "admins and owners",
  owner: "owners",
};

/** onlyFor says who may do an action: "only for admins and owners". */
export function onlyFor(action: Action): string {
  return leastRole[action] === "viewer" ? `for ${enough.viewer}` : `only for ${enough[leastRole[action]]}`;
}
