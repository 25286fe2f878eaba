// Who one is: the name that others see, the address to sign in with, the password.
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../../api/client";
import { changed } from "../../api/session";
import { Note } from "../../parts/Note";
import { Strength } from "../Strength";
import { CurrentPassword, FormProblem, NewPassword, told } from "./Inputs";
import { me as meQuery, members, useStale, type Me } from "./people";
import { useMoved } from "./useMoved";
import classes from "./people.module.css";

export function NameForm({ me }: { me: Me }) {
  const queries = useQueryClient();
  const stale = useStale();
  const [name, setName] = useState(me.user.name);
  const rename = useMutation({
    mutationFn: () => data(api.PATCH("/api/v1/me", { body: { name: name.trim() } })),
    onSuccess: (now) => {
      changed(now);
      queries.setQueryData(meQuery().queryKey, now);
      setName(now.user.name);
      return stale(members);
    },
  });
  const problem = told(rename.error, ["name"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  const same = name.trim() === me.user.name;
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <FormProblem of={problem} title="Your name is as it was" />
      <TextInput
        label="Your name"
        description="What your team sees. Without one, they see your e-mail address."
        autoComplete="name"
        maxLength={100}
        value={name}
        error={problem.byField.name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      <div className={classes.saving}>
        <Button type="submit" variant="default" disabled={same} loading={rename.isPending}>
          Save the name
        </Button>
        <span role="status" className={classes.below}>
          {rename.isSuccess && same ? "Saved." : ""}
        </span>
      </div>
    </form>
  );
}

export function EmailForm({ me }: { me: Me }) {
  const [open, setOpen] = useState(false);
  const [sentTo, setSentTo] = useState<string>();
  const sent = (email: string) => {
    setSentTo(email);
    setOpen(false);
  };
  const place = useMoved(String(open));
  return (
    <div className={classes.stack} ref={place}>
      <p className={classes.text}>
        You sign in as <strong>{me.user.email}</strong>.
      </p>
      {sentTo !== undefined && !open && (
        <Note tone="good" title="A mail is on its way" live>
          Follow its link within 30 minutes, in the mailbox of {sentTo}. Until then your address stays as it is.
        </Note>
      )}
      {open ? (
        <ChangeEmail sent={sent} cancel={() => setOpen(false)} />
      ) : (
        <Button variant="default" onClick={() => setOpen(true)}>
          Change the address
        </Button>
      )}
    </div>
  );
}

function ChangeEmail({ sent, cancel }: { sent: (email: string) => void; cancel: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: () => data(api.POST("/api/v1/me/email", { body: { email: email.trim(), password } })),
    onSuccess: () => sent(email.trim()),
    gcTime: 0,
  });
  const problem = told(change.error, ["email", "password"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={submit} className={`${classes.form} ${classes.wide}`}>
      <FormProblem of={problem} title="No mail was sent" />
      <TextInput
        label="New e-mail address"
        type="email"
        required
        autoComplete="email"
        maxLength={254}
        value={email}
        error={problem.byField.email}
        onChange={(e) => setEmail(e.currentTarget.value)}
      />
      <CurrentPassword value={password} change={setPassword} error={problem.byField.password} />
      <div className={classes.buttons}>
        <Button type="submit" loading={change.isPending}>
          Send the mail
        </Button>
        <Button variant="subtle" onClick={cancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

export function PasswordForm({ me, ended }: { me: Me; ended: () => unknown }) {
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState(false);
  const changedIt = () => {
    setDone(true);
    setOpen(false);
    ended();
  };
  const place = useMoved(String(open));
  return (
    <div className={classes.stack} ref={place}>
      {done && !open && (
        <Note tone="good" title="Your password is changed" live>
          Your other sessions have ended.
        </Note>
      )}
      {open ? (
        <ChangePassword me={me} done={changedIt} cancel={() => setOpen(false)} />
      ) : (
        <Button variant="default" onClick={() => setOpen(true)}>
          Change the password
        </Button>
      )}
    </div>
  );
}

function ChangePassword({ me, done, cancel }: { me: Me; done: () => void; cancel: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => data(api.POST("/api/v1/me/password", { body: { current, new: next } })),
    onSuccess: done,
    gcTime: 0,
  });
  const problem = told(change.error, ["current", "new"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={submit} className={`${classes.form} ${classes.wide}`}>
      <FormProblem of={problem} title="Your password is as it was" />
      {/* So that a password manager knows whose password this is. */}
      <input type="text" autoComplete="username" value={me.user.email} readOnly hidden />
      <CurrentPassword label="Current password" value={current} change={setCurrent} error={problem.byField.current} />
      <div>
        <NewPassword value={next} change={setNext} error={problem.byField.new} />
        <Strength password={next} />
      </div>
      <p className={classes.below}>Everywhere else you will be signed out.</p>
      <div className={classes.buttons}>
        <Button type="submit" loading={change.isPending}>
          Change the password
        </Button>
        <Button variant="subtle" onClick={cancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
