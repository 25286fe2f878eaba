// Where the links in mails lead. What a link does happens on a press of a button and not when the page opens, since
// mail scanners open links, too. The token leaves the address bar at once.
import { Button, PasswordInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { api, data } from "../api/client";
import { asProblem, fieldProblems } from "../api/problem";
import { begin } from "../api/session";
import { ProblemNote } from "../parts/Note";
import { Door } from "./Door";
import { Strength } from "./Strength";
import { useLinkToken } from "./link-token";
import classes from "./Form.module.css";

const toSignIn = <Link to="/signin">Sign in instead</Link>;

export function ConfirmSignUp() {
  const navigate = useNavigate();
  const token = useLinkToken();
  const confirm = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/signup/confirm", { body: { token, cookie: true } })),
    onSuccess: (session) => {
      begin(session);
      void navigate({ to: "/" });
    },
  });
  return (
    <Pressed
      tab="Confirm"
      title="One press to go"
      lead="Then your address is confirmed, and your account is there."
      button="Create my account"
      failed="Your account is not there yet"
      again={<Link to="/signup">Sign up again</Link>}
      press={confirm}
    />
  );
}

export function ConfirmEmail() {
  const token = useLinkToken();
  const confirm = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/email/confirm", { body: { token } })),
  });
  if (confirm.isSuccess)
    return (
      <Door tab="New address" title="Your address has changed" lead="Sign in with it from now on." other={toSignIn}>
        <Button component={Link} to="/" size="md">
          Go to Sidecard
        </Button>
      </Door>
    );
  return (
    <Pressed
      tab="New address"
      title="Use this address from now on?"
      lead="You will sign in with it, and our mails come here."
      button="Use this address"
      failed="Your address has not changed"
      again={toSignIn}
      press={confirm}
    />
  );
}

interface Press {
  mutate: () => void;
  isPending: boolean;
  error: Error | null;
}

function Pressed(props: {
  tab: string;
  title: string;
  lead: string;
  button: string;
  failed: string;
  again: ReactNode;
  press: Press;
}) {
  const problem = props.press.error && asProblem(props.press.error);
  return (
    <Door tab={props.tab} title={props.title} lead={props.lead} other={toSignIn}>
      <div className={classes.form}>
        {problem !== null && <ProblemNote problem={problem} title={props.failed} />}
        {problem?.code === "link_ended" ? (
          <p>{props.again}</p>
        ) : (
          <Button size="md" loading={props.press.isPending} onClick={() => props.press.mutate()}>
            {props.button}
          </Button>
        )}
      </div>
    </Door>
  );
}

export function ConfirmReset() {
  const token = useLinkToken();
  const [password, setPassword] = useState("");
  const reset = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/reset/confirm", { body: { token, password } })),
  });
  const problem = reset.error && asProblem(reset.error);
  const { byField, rest } = fieldProblems(problem, ["password"]);
  if (reset.isSuccess)
    return (
      <Door
        tab="New password"
        title="Your password is set"
        lead="Every session of yours has ended. Sign in with the new password."
        other={toSignIn}
      >
        <Button component={Link} to="/signin" size="md">
          Sign in
        </Button>
      </Door>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    reset.mutate();
  };
  return (
    <Door tab="New password" title="Choose a new password" lead="All your sessions end with it." other={toSignIn}>
      <form onSubmit={submit} className={classes.form}>
        {problem !== null && byField.password === undefined && (
          <ProblemNote problem={problem} title="Your password has not changed" fields={rest} />
        )}
        {problem?.code === "link_ended" && <Link to="/reset">Ask for a new link</Link>}
        <div>
          <PasswordInput
            label="New password"
            name="password"
            size="md"
            required
            autoComplete="new-password"
            minLength={12}
            maxLength={128}
            value={password}
            error={byField.password}
            onChange={(e) => setPassword(e.currentTarget.value)}
            visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
          />
          <Strength password={password} />
        </div>
        <Button type="submit" size="md" loading={reset.isPending}>
          Set the password
        </Button>
      </form>
    </Door>
  );
}
