// What the audit log's actions are called.

const words = {
  "tenant.created": "Signed the company up",
  "tenant.updated": "Changed the company's settings",
  "tenant.plan_set": "Changed the plan",
  "tenant.exported": "Exported the company's data",
  "tenant.deletion_scheduled": "Began to delete the company",
  "tenant.deletion_cancelled": "Called the deletion off",
  "invitation.created": "Invited",
  "invitation.withdrawn": "Withdrew an invitation",
  "invitation.accepted": "Accepted an invitation",
  "member.role_changed": "Changed a role",
  "member.removed": "Removed a member",
  "member.left": "Left the company",
  "user.password_changed": "Changed their password",
  "user.password_reset": "Reset their password by mail",
  "user.email_changed": "Changed their e-mail address",
  "user.second_factor_on": "Turned their second factor on",
  "user.second_factor_off": "Turned their second factor off",
  "session.ended_as_stolen": "Session ended, as it may be stolen",
  "token.created": "Made an API token",
  "token.revoked": "Revoked an API token",
  "desk.updated": "Changed the LiveSupporti settings",
  "desk.secret_rotated": "Changed the webhook secret",
  "desk.resumed": "Resumed sending details",
  "connection.created": "Connected a source",
  "connection.updated": "Changed a source",
  "connection.deleted": "Removed a source",
  "connection.login_begun": "Began to sign a source in",
  "connection.login_finished": "Signed a source in",
  "connection.login_ended": "Signed a source out",
  "connection.file_imported": "Uploaded a list",
  "card.published": "Published a card",
  "chats.replayed": "Replayed chats",
  "chat.address_revealed": "Looked at a visitor's address",
  "visitor.erased": "Erased a visitor",
  "audit.exported": "Exported the audit log",
} as const;

/** The actions that there are, in the order in which a filter offers them. */
export const actions = Object.keys(words) as (keyof typeof words)[];

/** actionText is an action in words; one that has none is shown as it is. */
export function actionText(action: string): string {
  return Object.hasOwn(words, action) ? words[action as keyof typeof words] : action;
}

const groups: { group: string; begins: readonly string[] }[] = [
  { group: "Company and team", begins: ["tenant.", "invitation.", "member."] },
  { group: "Accounts", begins: ["user.", "session."] },
  { group: "Access", begins: ["token.", "audit."] },
  { group: "LiveSupporti, sources and card", begins: ["desk.", "connection.", "card.", "chats.", "chat.", "visitor."] },
];

/** The actions as a select takes them. */
export const actionGroups = groups.map(({ group, begins }) => ({
  group,
  items: actions
    .filter((action) => begins.some((begin) => action.startsWith(begin)))
    .map((action) => ({ value: action as string, label: actionText(action) })),
}));
