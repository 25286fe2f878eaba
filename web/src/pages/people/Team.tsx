// Who belongs to the company's account, with which role, and who was invited.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../../api/client";
import { may } from "../../api/may";
import { signOut } from "../../api/session";
import { Note } from "../../parts/Note";
import { Page, Section } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import { Ask } from "./Ask";
import { Invitations } from "./Invitations";
import { Invite } from "./Invite";
import { Members } from "./Members";
import { accountPath, members, useMe, type Me } from "./people";
import { lastOwner } from "./roles";
import classes from "./people.module.css";

export function Team() {
  const query = useMe();
  const [inviting, setInviting] = useState(false);
  const me = query.data;
  const invites = me !== undefined && may(me.role, "invite") && me.second_factor_missing !== true;
  return (
    <Page
      title="Team"
      lead="Who may see and set up what is here. Each role may do what those before it may: viewer, member, admin, owner."
      actions={invites && <Button onClick={() => setInviting(true)}>Invite somebody</Button>}
    >
      <Loaded query={query} what="The team">
        {(me) => <Parts me={me} />}
      </Loaded>
      {invites && <Invite opened={inviting} close={() => setInviting(false)} own={me.role} />}
    </Page>
  );
}

function Parts({ me }: { me: Me }) {
  const missing = me.second_factor_missing === true;
  const query = useQuery({ ...members(), enabled: !missing });
  return (
    <>
      {missing ? (
        <div className={classes.first}>
          <Note
            tone="warn"
            title={`${me.tenant.name} requires a second factor`}
            actions={<Link to={accountPath}>Open your account</Link>}
          >
            Set one up under your account to see the team.
          </Note>
        </div>
      ) : (
        <Section title="Members">
          <Loaded query={query} what="The members" rows={4}>
            {(list) => <Members me={me} list={list} />}
          </Loaded>
        </Section>
      )}
      {!missing && may(me.role, "invite") && (
        <Section title="Invitations that wait for an answer">
          <Invitations own={me.role} />
        </Section>
      )}
      <Section title="Leave" rule>
        <Leave me={me} last={query.data?.some((m) => m.user_id === me.user.id && lastOwner(m, query.data)) === true} />
      </Section>
    </>
  );
}

function Leave({ me, last }: { me: Me; last: boolean }) {
  const [asked, setAsked] = useState<Me>();
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <p className={classes.text} id="leave-reason">
        {last
          ? "You are the last owner. Make somebody else an owner first, or delete the company’s account."
          : "You stop seeing what is here. Your account stays if you belong to another company; otherwise it goes too."}
      </p>
      <Button
        variant="default"
        disabled={last}
        aria-describedby={last ? "leave-reason" : undefined}
        onClick={() => setAsked(me)}
      >
        Leave {me.tenant.name}
      </Button>
      <Ask
        about={asked}
        close={() => setAsked(undefined)}
        title={(m) => `Leave ${m.tenant.name}?`}
        action="Leave"
        keep="Stay"
        act={async () => {
          await data(api.DELETE("/api/v1/me/membership"));
          await signOut();
        }}
        failed="You have not left"
      >
        {(m) => (
          <p>
            You are signed out at once. To come back, somebody has to invite {m.user.email} again. What you made stays.
          </p>
        )}
      </Ask>
    </div>
  );
}
