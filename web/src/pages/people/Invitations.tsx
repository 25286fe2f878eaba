// Who was invited and has not answered.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import { DataTable, type Column } from "../../parts/DataTable";
import { Loaded } from "../../parts/States";
import { Time } from "../../parts/Time";
import { Ask } from "./Ask";
import { invitations, useStale, type Invitation } from "./people";
import { atLeast, type Role } from "../../api/may";
import { roleWords } from "./roles";
import classes from "./people.module.css";

export function Invitations({ own }: { own: Role }) {
  const query = useQuery(invitations());
  const stale = useStale();
  const [withdrawing, setWithdrawing] = useState<Invitation>();
  const withdraw = (i: Invitation) =>
    atLeast(own, i.role) ? (
      <Button
        variant="subtle"
        color="vermilion"
        size="compact-md"
        aria-label={`Withdraw the invitation of ${i.email}`}
        onClick={() => setWithdrawing(i)}
      >
        Withdraw
      </Button>
    ) : (
      <span className={classes.below}>Only by an owner</span>
    );
  const columns: Column<Invitation>[] = [
    { key: "email", head: "Invited", cell: (i) => <Invited invitation={i} /> },
    { key: "role", head: "Role", cell: (i) => roleWords[i.role], width: "110px" },
    { key: "ends", head: "Good until", cell: (i) => <Time at={i.expires_at} />, width: "140px" },
    { key: "withdraw", head: <span className="sc-sr">Withdraw</span>, cell: withdraw, align: "right", width: "124px" },
  ];
  return (
    <>
      <Loaded query={query} what="The invitations" rows={2}>
        {(list) =>
          list.length === 0 ? (
            <p className="sc-dim">Nobody. Who you invite is listed here until they answer.</p>
          ) : (
            <DataTable
              caption="Invitations, newest first"
              columns={columns}
              rows={list}
              rowKey={(i) => i.id}
              narrow={(i) => ({
                first: [<Invited key="i" invitation={i} />, withdraw(i)],
                second: [
                  roleWords[i.role],
                  <span key="u">
                    until <Time at={i.expires_at} />
                  </span>,
                ],
              })}
            />
          )
        }
      </Loaded>
      <Ask
        about={withdrawing}
        close={() => setWithdrawing(undefined)}
        title={(i) => `Withdraw the invitation of ${i.email}?`}
        action="Withdraw"
        keep="Keep it"
        act={(i) =>
          data(api.DELETE("/api/v1/invitations/{invitation_id}", { params: { path: { invitation_id: i.id } } }))
        }
        settled={() => stale(invitations)}
        failed="Not withdrawn"
      >
        {() => <p>The link in the mail leads nowhere then. You can invite them again.</p>}
      </Ask>
    </>
  );
}

function Invited({ invitation }: { invitation: Invitation }) {
  return (
    <div>
      <div className={classes.name}>{invitation.email}</div>
      <div className={classes.below}>
        by {invitation.invited_by}, <Time at={invitation.created_at} />
      </div>
    </div>
  );
}
