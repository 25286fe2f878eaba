// Joining a tenant by an invitation's link: with the account that the address has, or with a new one.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../api/client";
import { asProblem, fieldProblems } from "../api/problem";
import { begin } from "../api/session";
import { ProblemNote } from "../parts/Note";
import { Loading } from "../parts/States";
import { Door } from "./Door";
import { Strength } from "./Strength";
import { useLinkToken } from "./link-token";
import classes from "./Form.module.css";

export function Invitation() {
  const token = useLinkToken();
  const invitation = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => data(api.POST("/api/v1/auth/invitation", { body: { token } })),
    retry: false,
    staleTime: Infinity,
  });
  const other = <Link to="/signin">Sign in</Link>;
  if (invitation.error !== null)
    return (
      <Door tab="Invitation" title="This invitation does not work" lead="Ask for a new one." other={other}>
        <ProblemNote problem={asProblem(invitation.error)} title="It cannot be shown" />
      </Door>
    );
  if (invitation.data === undefined)
    return (
      <Door tab="Invitation" title="Your invitation" lead="One moment." other={other}>
        <Loading what="the invitation" rows={3} />
      </Door>
    );
  const { company, email, role, has_account } = invitation.data;
  return (
    <Door tab="Invitation" title={`Join ${company}`} lead={`As ${role}, with the address ${email}.`} other={other}>
      <Join token={token} hasAccount={has_account} />
    </Door>
  );
}

function Join({ token, hasAccount }: { token: string; hasAccount: boolean }) {
  const navigate = useNavigate();
  const [values, setValues] = useState({ name: "", password: "", code: "" });
  const join = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/auth/invitation/accept", {
          body: {
            token,
            password: values.password,
            name: values.name || undefined,
            code: values.code || undefined,
            cookie: true,
          },
        }),
      ),
    onSuccess: (session) => {
      begin(session);
      void navigate({ to: "/" });
    },
  });
  const problem = join.error && asProblem(join.error);
  const { byField, rest } = fieldProblems(problem, ["name", "password", "code"]);
  const asksCode = problem?.code === "code_required" || values.code !== "";
  const set = (name: keyof typeof values) => (event: { currentTarget: { value: string } }) => {
    const value = event.currentTarget.value;
    setValues((v) => ({ ...v, [name]: value }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    join.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      {problem !== null && problem.code !== "code_required" && Object.keys(byField).length === 0 && (
        <ProblemNote problem={problem} title="You have not joined yet" fields={rest} />
      )}
      {!hasAccount && (
        <TextInput
          label="Your name"
          name="name"
          size="md"
          autoComplete="name"
          maxLength={100}
          value={values.name}
          error={byField.name}
          onChange={set("name")}
        />
      )}
      <div>
        <PasswordInput
          label={hasAccount ? "Your password" : "Choose a password"}
          name="password"
          size="md"
          required
          autoComplete={hasAccount ? "current-password" : "new-password"}
          minLength={hasAccount ? 1 : 12}
          maxLength={128}
          value={values.password}
          error={byField.password}
          onChange={set("password")}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
        />
        {!hasAccount && <Strength password={values.password} />}
      </div>
      {asksCode && (
        <TextInput
          label="Code"
          description="Six digits from your authenticator app, or one of your recovery codes."
          name="code"
          size="md"
          required
          autoComplete="one-time-code"
          maxLength={20}
          value={values.code}
          error={byField.code}
          onChange={set("code")}
        />
      )}
      <Button type="submit" size="md" loading={join.isPending}>
        Join
      </Button>
    </form>
  );
}
