// In the place of what somebody's role does not let them do: who may, and what to do about it.
import { onlyFor, type Action } from "../api/may";
import { currentMe } from "../api/session";
import { Note } from "./Note";

/** `what` begins the sentence and is plural: "New sources". */
export function OnlyFor({ action, what }: { action: Action; what: string }) {
  const role = currentMe()?.role ?? "viewer";
  return (
    <Note tone="none" title={`${what} are ${onlyFor(action)}`}>
      You are {role === "admin" || role === "owner" ? "an" : "a"} {role} here. Ask one of them to do it, or to change
      your role under Team.
    </Note>
  );
}
