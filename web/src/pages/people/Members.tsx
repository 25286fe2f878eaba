// The members of a tenant: each with a role, which may be changed as far as one's own goes.
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import { asProblem } from "../../api/problem";
import { DataTable, type Column } from "../../parts/DataTable";
import { ProblemNote } from "../../parts/Note";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { Ask } from "./Ask";
import { called, me as meQuery, members, useStale, type Me, type Member } from "./people";
import { RoleSelect } from "./RoleSelect";
import { may, type Role } from "../../api/may";
import { fixedBecause, grantable, roleMeanings, roleWords } from "./roles";
import classes from "./people.module.css";

interface Change {
  member: Member;
  role: Role;
}

export function Members({ me, list }: { me: Me; list: readonly Member[] }) {
  const stale = useStale();
  const [removing, setRemoving] = useState<Member>();
  const [lowering, setLowering] = useState<Change>();
  const store = ({ member, role }: Change) =>
    data(api.PATCH("/api/v1/members/{user_id}", { params: { path: { user_id: member.user_id } }, body: { role } }));
  const again = () => stale(members, meQuery); // a refusal may mean that roles are others by now
  const change = useMutation({ mutationFn: store, onSettled: again });
  const isMe = (m: Member) => m.user_id === me.user.id;
  const choose = (member: Member, role: Role) => {
    if (role === member.role) return;
    change.reset();
    if (isMe(member)) setLowering({ member, role });
    else change.mutate({ member, role });
  };
  const role = (m: Member) => (
    <RoleCell
      me={me}
      member={m}
      list={list}
      pending={change.isPending && change.variables.member.user_id === m.user_id ? change.variables.role : undefined}
      choose={(r) => choose(m, r)}
    />
  );
  const remove = (m: Member) =>
    !isMe(m) &&
    fixedBecause(me.role, m, list) === undefined && (
      <Button
        variant="subtle"
        color="vermilion"
        size="compact-md"
        aria-label={`Remove ${called(m)}`}
        onClick={() => setRemoving(m)}
      >
        Remove
      </Button>
    );
  const columns: Column<Member>[] = [
    { key: "person", head: "Person", cell: (m) => <Person member={m} isMe={isMe(m)} /> },
    { key: "role", head: "Role", cell: role, width: "210px" },
    { key: "factor", head: "Second factor", cell: (m) => <Factor on={m.second_factor} />, width: "130px" },
    { key: "since", head: "Since", cell: (m) => <Time at={m.since} />, width: "130px" },
    { key: "remove", head: <span className="sc-sr">Remove</span>, cell: remove, align: "right", width: "104px" },
  ];
  return (
    <>
      {change.error !== null && (
        <ProblemNote
          problem={asProblem(change.error)}
          title={`${called(change.variables.member)} has the same role as before`}
        />
      )}
      <span className="sc-sr" role="status">
        {change.isSuccess ? `${called(change.data)} is ${roleWords[change.data.role].toLowerCase()} now.` : ""}
      </span>
      <DataTable
        caption="Members, the longest here first"
        columns={columns}
        rows={list}
        rowKey={(m) => m.user_id}
        narrow={(m) => ({
          first: [<Person key="p" member={m} isMe={isMe(m)} />, remove(m)],
          second: [<div key="r">{role(m)}</div>, <Factor key="f" on={m.second_factor} named />],
        })}
      />
      <Ask
        about={removing}
        close={() => setRemoving(undefined)}
        title={(m) => `Remove ${called(m)}?`}
        action="Remove"
        keep="Keep them"
        act={(m) => data(api.DELETE("/api/v1/members/{user_id}", { params: { path: { user_id: m.user_id } } }))}
        settled={again}
        failed="Not removed"
      >
        {(m) => (
          <p>
            Their sessions here end at once. What {m.email} made stays, API tokens too: revoke those that only they
            knew.
          </p>
        )}
      </Ask>
      <Ask
        about={lowering}
        close={() => setLowering(undefined)}
        title={(c) => `Become ${article(c.role)}?`}
        action="Take the lower role"
        keep="Stay"
        act={store}
        settled={again}
        failed="Your role is as it was"
      >
        {(c) => <p>{roleMeanings[c.role]} You cannot give yourself more again; somebody else has to.</p>}
      </Ask>
    </>
  );
}

function RoleCell({
  me,
  member,
  list,
  pending,
  choose,
}: {
  me: Me;
  member: Member;
  list: readonly Member[];
  pending: Role | undefined;
  choose: (role: Role) => void;
}) {
  const fixed = fixedBecause(me.role, member, list);
  if (fixed !== undefined) {
    return (
      <div>
        <span title={roleMeanings[member.role]}>{roleWords[member.role]}</span>
        {may(me.role, "updateMember") && <div className={classes.below}>{fixed}</div>}
      </div>
    );
  }
  return (
    <RoleSelect
      label={`Role of ${called(member)}`}
      labelHidden
      offered={grantable(me.role)}
      value={pending ?? member.role}
      disabled={pending !== undefined}
      choose={choose}
    />
  );
}

function Person({ member, isMe }: { member: Member; isMe: boolean }) {
  return (
    <div>
      <div className={classes.name}>
        {called(member)}
        {isMe && <span className={classes.mark}>you</span>}
      </div>
      {member.name !== "" && <div className={classes.below}>{member.email}</div>}
    </div>
  );
}

function Factor({ on, named }: { on: boolean; named?: boolean }) {
  const words = on ? "On" : "Off";
  return <Status name={on ? "working" : "todo"} word={named ? `Second factor ${words.toLowerCase()}` : words} />;
}

function article(role: Role): string {
  return role === "admin" || role === "owner" ? `an ${role}` : `a ${role}`;
}
