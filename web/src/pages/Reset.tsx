// Forgot the password: ask for a link. The answer is the same for every address.
import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../api/client";
import { asProblem, fieldProblems } from "../api/problem";
import { ProblemNote } from "../parts/Note";
import { CheckMail } from "./CheckMail";
import { Door } from "./Door";
import classes from "./Form.module.css";

export function Reset() {
  const [email, setEmail] = useState("");
  const ask = useMutation({ mutationFn: () => data(api.POST("/api/v1/auth/reset", { body: { email } })) });
  const problem = ask.error && asProblem(ask.error);
  const { byField, rest } = fieldProblems(problem, ["email"]);
  if (ask.isSuccess) return <CheckMail email={email} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <Door
      tab="New password"
      title="Forgot your password?"
      lead="Give your address, and we mail you a link to choose a new one."
      other={<Link to="/signin">Back to signing in</Link>}
    >
      <form onSubmit={submit} className={classes.form}>
        {problem !== null && byField.email === undefined && (
          <ProblemNote problem={problem} title="No mail was sent" fields={rest} />
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
        <Button type="submit" size="md" loading={ask.isPending}>
          Mail me a link
        </Button>
      </form>
    </Door>
  );
}
