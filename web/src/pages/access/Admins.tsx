// What only admins and owners are shown. Everybody else is told who to ask.
import type { ReactNode } from "react";
import { may } from "../../api/may";
import { Note } from "../../parts/Note";
import { Page } from "../../parts/Page";
import { Loading } from "../../parts/States";
import { useRole } from "./access";

/** `what` begins a sentence: "API tokens". */
export function Admins({ title, what, children }: { title: string; what: string; children: ReactNode }) {
  const role = useRole();
  if (role !== undefined && may(role, "listAudit")) return children;
  return (
    <Page title={title}>
      {role === undefined ? (
        <Loading what={title.toLowerCase()} />
      ) : (
        <Note tone="none" title={`${what} for admins and owners`}>
          You are a {role} here. Ask an admin or an owner to look, or to change your role under Team.
        </Note>
      )}
    </Page>
  );
}
