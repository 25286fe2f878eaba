// One's own account: name, address, password, second factor, sessions.
import { Note } from "../../parts/Note";
import { Page, Section } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import { sessions, useMe, useStale, type Me } from "./people";
import { EmailForm, NameForm, PasswordForm } from "./Person";
import { SecondFactor } from "./SecondFactor";
import { Sessions } from "./Sessions";
import classes from "./people.module.css";

export function Account() {
  const query = useMe();
  return (
    <Page title="Your account" lead="It is the same in every company that you work for.">
      <Loaded query={query} what="Your account">
        {(me) => <Parts me={me} />}
      </Loaded>
    </Page>
  );
}

function Parts({ me }: { me: Me }) {
  const stale = useStale();
  const missing = me.second_factor_missing === true;
  return (
    <>
      {missing && (
        <div className={classes.first}>
          <Note tone="warn" title={`${me.tenant.name} requires a second factor`}>
            Set one up below. Nothing else works here until you have.
          </Note>
        </div>
      )}
      {!missing && (
        <>
          <Section title="Name" rule>
            <div className={classes.body}>
              <NameForm me={me} />
            </div>
          </Section>
          <Section title="E-mail address" rule>
            <div className={classes.body}>
              <EmailForm me={me} />
            </div>
          </Section>
          <Section title="Password" rule>
            <div className={classes.body}>
              <PasswordForm me={me} ended={() => stale(sessions)} />
            </div>
          </Section>
        </>
      )}
      <Section title="Second factor" rule>
        <div className={classes.body}>
          <SecondFactor me={me} />
        </div>
      </Section>
      {!missing && <Sessions />}
    </>
  );
}
