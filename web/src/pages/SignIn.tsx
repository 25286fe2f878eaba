// Signing in. The answer is the same whether the address or the password was wrong.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../api/client";
import { asProblem, fieldProblems } from "../api/problem";
import { begin } from "../api/session";
import { ProblemNote } from "../parts/Note";
import { Door } from "./Door";
import classes from "./Form.module.css";

export function SignIn() {
  const router = useRouter();
  const { next } = useSearch({ from: "/open/signin" });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/signin", { body: { email, password } })),
    onSuccess: (session) => {
      begin(session);
      router.history.push(next ?? "/");
    },
  });
  const problem = signIn.error && asProblem(signIn.error);
  const { byField, rest } = fieldProblems(problem, ["email", "password"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <Door
      tab="Sign in"
      title="Welcome back"
      lead="Sign in to see who is chatting."
      other={
        <>
          New here? <Link to="/signup">Create an account</Link>
        </>
      }
    >
      <form onSubmit={submit} className={classes.form}>
        {problem !== null && (rest.length > 0 || Object.keys(byField).length === 0) && (
          <ProblemNote problem={problem} title="Not signed in" fields={rest} />
        )}
        <TextInput
          label="Work e-mail"
          type="email"
          size="md"
          required
          autoComplete="username"
          name="email"
          value={email}
          error={byField.email}
          onChange={(e) => setEmail(e.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          size="md"
          required
          autoComplete="current-password"
          name="password"
          value={password}
          error={byField.password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
        />
        <Button
          type="submit"
          size="md"
          loading={signIn.isPending}
          rightSection={<IconArrowRight size={17} stroke={1.75} aria-hidden="true" />}
        >
          Sign in
        </Button>
      </form>
    </Door>
  );
}
