// The form for a connection's name and settings, for a new connection and for an old one.
import { Button, TextInput } from "@mantine/core";
import { useEffect, useRef, type FormEvent, type ReactNode } from "react";
import { fieldProblems, type ProblemError } from "../../api/problem";
import { SettingsInputs } from "../../form/SettingsInputs";
import { shownOf } from "../../form/values";
import { ProblemNote } from "../../parts/Note";
import type { SettingsState } from "./useSettingsForm";
import classes from "./SettingsForm.module.css";

interface Props {
  form: SettingsState;
  problem: ProblemError | null;
  busy: boolean;
  submitLabel: string;
  onSubmit: (body: { name: string; settings: Record<string, unknown> }) => void;
  beside?: ReactNode;
}

export function SettingsForm({ form, problem, busy, submitLabel, onSubmit, beside }: Props) {
  const element = useRef<HTMLFormElement>(null);
  const { inputs, refused } = form;
  const ofName = fieldProblems(problem, ["name"]).byField;
  const ofSettings = fieldProblems(
    problem,
    shownOf(inputs, form.values).map((i) => i.name), // what is said of a hidden one is shown above the form
    "/settings",
  );
  const rest = ofSettings.rest.filter((p) => p.pointer !== "/name");
  const atInputs = Object.keys(ofName).length + Object.keys(ofSettings.byField).length;
  useEffect(() => {
    if (refused !== null) element.current?.querySelector<HTMLElement>(`[name="${refused.name}"]`)?.focus();
  }, [refused]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = form.ready();
    if (body !== null) onSubmit(body);
  };
  return (
    <form ref={element} onSubmit={submit} noValidate className={classes.form}>
      {problem !== null && (rest.length > 0 || atInputs === 0) && (
        <div className={classes.problem}>
          <ProblemNote problem={problem} title={form.stored ? "Not saved" : "Not connected yet"} fields={rest} />
        </div>
      )}
      <TextInput
        className={classes.name}
        label="Name"
        description="How you and your colleagues call it."
        value={form.name}
        maxLength={60}
        error={ofName.name}
        onChange={(e) => form.setName(e.currentTarget.value)}
        required
      />
      <SettingsInputs
        inputs={inputs}
        values={form.values}
        errors={{ ...ofSettings.byField, ...form.seen }}
        stored={form.stored}
        onChange={form.set}
      />
      <div className={classes.end}>
        <Button type="submit" loading={busy} disabled={form.name.trim() === ""}>
          {submitLabel}
        </Button>
        {beside}
      </div>
    </form>
  );
}
