// Signing in. The answer is the same whether the address or the password was wrong. Who has a second factor is asked
// for its code in a second step; the password stays in memory until then.
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

// The code is what to type next.
function focus(input: HTMLInputElement | null): void {
  input?.focus();
}

export function SignIn() {
  const router = useRouter();
  const { next } = useSearch({ from: "/open/signin" });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [step, setStep] = useState<"password" | "code">("password");
  const signIn = useMutation({
    mutationFn: () =>
      data(api.POST("/api/v1/auth/signin", { body: { email, password, code: code || undefined, cookie: true } })),
    onSuccess: (session) => {
      begin(session);
      router.history.push(next ?? "/");
    },
    onError: (error) => {
      if (asProblem(error).code === "code_required") setStep("code");
    },
  });
  const failed = signIn.error && asProblem(signIn.error);
  const problem = failed?.code === "code_required" ? null : failed;
  const { byField, rest } = fieldProblems(problem, ["email", "password", "code"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  const again = () => {
    setStep("password");
    setCode("");
    signIn.reset();
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
          readOnly={step === "code"}
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
          readOnly={step === "code"}
          autoComplete="current-password"
          name="password"
          value={password}
          error={byField.password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
        />
        {step === "code" && (
          <TextInput
            label="Code"
            description="Six digits from your authenticator app, or one of your recovery codes."
            size="md"
            required
            ref={focus}
            autoComplete="one-time-code"
            name="code"
            maxLength={20}
            value={code}
            error={byField.code}
            onChange={(e) => setCode(e.currentTarget.value)}
          />
        )}
        <Button
          type="submit"
          size="md"
          loading={signIn.isPending}
          rightSection={<IconArrowRight size={17} stroke={1.75} aria-hidden="true" />}
        >
          Sign in
        </Button>
        <p className={classes.small}>
          {step === "code" ? (
            <Button variant="default" size="compact-md" onClick={again}>
              Sign in as somebody else
            </Button>
          ) : (
            <Link to="/reset">Forgot your password?</Link>
          )}
        </p>
      </form>
    </Door>
  );
}
