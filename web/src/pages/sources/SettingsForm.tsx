// The form for a connection's name and settings, for a new connection and for an old one.
import { Button, TextInput } from "@mantine/core";
import { useMemo, useRef, useState, type FormEvent, type ReactNode } from "react";
import type { Connection, Connector } from "../../api/queries";
import { fieldProblems, type ProblemError } from "../../api/problem";
import { inputsOf, refusals, settingsOf, startValues } from "../../form/schema";
import { SettingsInputs } from "../../form/SettingsInputs";
import { ProblemNote } from "../../parts/Note";
import classes from "./SettingsForm.module.css";

interface Props {
  connector: Connector;
  connection?: Connection;
  problem: ProblemError | null;
  busy: boolean;
  submitLabel: string;
  onSubmit: (name: string, settings: Record<string, unknown>) => void;
  beside?: ReactNode;
}

export function SettingsForm({ connector, connection, problem, busy, submitLabel, onSubmit, beside }: Props) {
  const inputs = useMemo(() => inputsOf(connector.settings_schema), [connector]);
  const [name, setName] = useState(connection?.name ?? connector.name);
  const [values, setValues] = useState(() => startValues(inputs, connection?.settings));
  const form = useRef<HTMLFormElement>(null);
  const [seen, setSeen] = useState<Record<string, string>>({});
  const ofName = fieldProblems(problem, ["name"]).byField;
  const ofSettings = fieldProblems(
    problem,
    inputs.map((i) => i.name),
    "/settings",
  );
  const rest = ofSettings.rest.filter((p) => p.pointer !== "/name");
  const atInputs = Object.keys(ofName).length + Object.keys(ofSettings.byField).length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = refusals(inputs, values, connection?.secrets_set);
    setSeen(found);
    const first = inputs.find((i) => found[i.name] !== undefined);
    if (first === undefined) onSubmit(name.trim(), settingsOf(inputs, values));
    else form.current?.querySelector<HTMLElement>(`[name="${first.name}"]`)?.focus();
  };
  return (
    <form ref={form} onSubmit={submit} noValidate className={classes.form}>
      {problem !== null && (rest.length > 0 || atInputs === 0) && (
        <div className={classes.problem}>
          <ProblemNote problem={problem} title={connection ? "Not saved" : "Not connected yet"} fields={rest} />
        </div>
      )}
      <TextInput
        className={classes.name}
        label="Name"
        description="How you and your colleagues call it."
        value={name}
        maxLength={60}
        error={ofName.name}
        onChange={(e) => setName(e.currentTarget.value)}
        required
      />
      <SettingsInputs
        inputs={inputs}
        values={values}
        errors={{ ...ofSettings.byField, ...seen }}
        kept={connection?.secrets_set}
        onChange={(key, value) => {
          setValues((v) => ({ ...v, [key]: value }));
          setSeen(({ [key]: _, ...others }) => others);
        }}
      />
      <div className={classes.end}>
        <Button type="submit" loading={busy} disabled={name.trim() === ""}>
          {submitLabel}
        </Button>
        {beside}
      </div>
    </form>
  );
}
