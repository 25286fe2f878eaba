// The company's account: its name, what it asks of everybody in it, and its end.
import { Button, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactNode } from "react";
import { may } from "../../api/may";
import { api, data, type Schemas } from "../../api/client";
import { asProblem } from "../../api/problem";
import { Note, ProblemNote } from "../../parts/Note";
import { Page, Section } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import { plural } from "../../parts/text";
import { Deletion } from "./Deletion";
import { FormProblem, told } from "./Inputs";
import {
  accountPath,
  me as meQuery,
  members,
  tenant,
  useMe,
  useStale,
  type Me,
  type Tenant as Company,
} from "./people";
import classes from "./people.module.css";

export function Tenant() {
  const query = useMe();
  return (
    <Page title="Company">
      <Loaded query={query} what="The company">
        {(me) => (me.second_factor_missing === true ? <Missing me={me} /> : <Parts me={me} />)}
      </Loaded>
    </Page>
  );
}

function Missing({ me }: { me: Me }) {
  return (
    <Note
      tone="warn"
      title={`${me.tenant.name} requires a second factor`}
      actions={<Link to={accountPath}>Open your account</Link>}
    >
      Set one up under your account to see what is here.
    </Note>
  );
}

function Parts({ me }: { me: Me }) {
  const query = useQuery(tenant());
  return (
    <Loaded query={query} what="The company">
      {(company) => (
        <>
          <Section title="Name" rule>
            <NameForm company={company} me={me} />
          </Section>
          <Section title="Second factor" rule>
            <FactorRule company={company} me={me} />
          </Section>
          <Section title="Delete" rule>
            <Deletion company={company} me={me} />
          </Section>
        </>
      )}
    </Loaded>
  );
}

function useUpdate() {
  const queries = useQueryClient();
  const stale = useStale();
  return useMutation({
    mutationFn: (body: Schemas["TenantUpdate"]) => data(api.PATCH("/api/v1/tenant", { body })),
    onSuccess: (now) => {
      queries.setQueryData(tenant().queryKey, now);
      return stale(meQuery);
    },
  });
}

function NameForm({ company, me }: { company: Company; me: Me }) {
  const update = useUpdate();
  const [name, setName] = useState(company.name);
  const changes = may(me.role, "updateTenant");
  const same = name.trim() === company.name;
  const problem = told(update.error, ["name"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ name: name.trim() }, { onSuccess: (now) => setName(now.name) });
  };
  return (
    <form onSubmit={submit} className={`${classes.form} ${classes.body}`} noValidate>
      <FormProblem of={problem} title="The name is as it was" />
      <TextInput
        label="The company’s name"
        description={changes ? "What your team sees, and the people you invite." : "Admins and owners change it."}
        autoComplete="organization"
        maxLength={100}
        disabled={!changes}
        value={name}
        error={name.trim() === "" ? "Give your company’s name." : problem.byField.name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      {changes && (
        <div className={classes.saving}>
          <Button type="submit" variant="default" disabled={same || name.trim() === ""} loading={update.isPending}>
            Save the name
          </Button>
          <span role="status" className={classes.below}>
            {update.isSuccess && same ? "Saved." : ""}
          </span>
        </div>
      )}
    </form>
  );
}

function FactorRule({ company, me }: { company: Company; me: Me }) {
  const update = useUpdate();
  const team = useQuery(members());
  const on = update.isPending ? update.variables.second_factor_required === true : company.second_factor_required;
  const without = team.data?.filter((m) => !m.second_factor).length ?? 0;
  const changes = may(me.role, "updateTenant");
  const lacks = !company.second_factor_required && !me.user.second_factor;
  const { byField } = told(update.error, ["second_factor_required"]);
  let reason: ReactNode;
  if (!changes) reason = "Admins and owners change this.";
  else if (lacks) {
    reason = (
      <>
        You have none yourself. Set one up first, under <Link to={accountPath}>your account</Link>.
      </>
    );
  } else if (without > 0) {
    const who = without === 1 ? "1 member has none" : `${plural(without, "member")} have none`;
    reason = on
      ? `${who} and can do nothing here until they have set one up.`
      : `${who} yet. From then on they can do nothing here until they have set one up.`;
  }
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <Switch
        label="Everybody here needs a second factor"
        description={reason}
        checked={on}
        disabled={!changes || lacks || update.isPending}
        error={byField.second_factor_required}
        onChange={(e) => update.mutate({ second_factor_required: e.currentTarget.checked })}
      />
      {update.error !== null && byField.second_factor_required === undefined && (
        <ProblemNote problem={asProblem(update.error)} title="The rule is as it was" />
      )}
      <p className={`${classes.text} ${classes.below}`}>
        API tokens are not asked for one. A member who has one cannot remove it while it is required.
      </p>
    </div>
  );
}
