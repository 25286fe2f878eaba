// Signing up: a tenant and its owner. The account is made when the link in the mail is followed, see FollowLink.tsx.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../api/client";
import { asProblem, fieldProblems } from "../api/problem";
import { ProblemNote } from "../parts/Note";
import { Door } from "./Door";
import { CheckMail } from "./CheckMail";
import { Strength } from "./Strength";
import classes from "./Form.module.css";

const inputs = ["company", "name", "email", "password"] as const;

export function SignUp() {
  const [values, setValues] = useState({ company: "", name: "", email: "", password: "" });
  const signUp = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/signup", { body: { ...values, name: values.name || undefined } })),
  });
  const problem = signUp.error && asProblem(signUp.error);
  const { byField, rest } = fieldProblems(problem, inputs);
  const input = (name: (typeof inputs)[number]) => ({
    name,
    size: "md" as const,
    value: values[name],
    error: byField[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const value = event.currentTarget.value;
      setValues((v) => ({ ...v, [name]: value }));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signUp.mutate();
  };
  if (signUp.isSuccess) return <CheckMail email={values.email} />;
  return (
    <Door
      tab="Sign up"
      title="Know who is chatting, within a second"
      lead="Five minutes to the first card on your agents’ screen. No credit card, nothing to install."
      other={
        <>
          Have an account? <Link to="/signin">Sign in</Link>
        </>
      }
    >
      <form onSubmit={submit} className={classes.form}>
        {problem !== null && (rest.length > 0 || Object.keys(byField).length === 0) && (
          <ProblemNote problem={problem} title="Your account is not there yet" fields={rest} />
        )}
        <TextInput label="Company" required autoComplete="organization" maxLength={100} {...input("company")} />
        <TextInput label="Your name" autoComplete="name" maxLength={100} {...input("name")} />
        <TextInput label="Work e-mail" type="email" required autoComplete="email" maxLength={254} {...input("email")} />
        <div>
          <PasswordInput
            label="Password"
            required
            autoComplete="new-password"
            minLength={12}
            maxLength={128}
            visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
            {...input("password")}
          />
          <Strength password={values.password} />
        </div>
        <Button
          type="submit"
          size="md"
          loading={signUp.isPending}
          rightSection={<IconArrowRight size={17} stroke={1.75} aria-hidden="true" />}
        >
          Create your account
        </Button>
        <p className={classes.small}>
          Your customer data stays in your systems: Sidecard asks them when a chat starts, and keeps what was shown to
          the agent.
        </p>
      </form>
    </Door>
  );
}
