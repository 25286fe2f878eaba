// The state of a settings form. It lives above the form, so that a check's suggestion can fill it in.
import { useMemo, useState } from "react";
import type { Connection, Connector } from "../../api/queries";
import type { Input } from "../../form/schema";
import { filled, refusals, settingsOf, shownOf, startValues, type Stored, type Values } from "../../form/values";
import { inputsFor } from "./oauth";

export interface SettingsState {
  inputs: Input[];
  name: string;
  values: Values;
  stored: Stored | undefined;
  /** What was seen to be wrong, by the name of the input. */
  seen: Record<string, string>;
  /** The input to go to after a try that was not ready; a new object each time. */
  refused: { name: string } | null;
  setName: (name: string) => void;
  set: (key: string, value: string | boolean) => void;
  /** What is to be sent, with a suggestion put in; null when something is wrong, which is then in `seen`. */
  ready: (suggested?: { setting: string; value: string }) => { name: string; settings: Record<string, unknown> } | null;
  /** Starts again from what is stored now. */
  reset: (connection: Connection) => void;
}

export function useSettingsForm(connector: Connector, connection?: Connection): SettingsState {
  const inputs = useMemo(() => inputsFor(connector, connection), [connector, connection]);
  const [name, setName] = useState(connection?.name ?? connector.name);
  const [values, setValues] = useState(() => startValues(inputs, connection?.settings));
  const [seen, setSeen] = useState<Record<string, string>>({});
  const [refused, setRefused] = useState<{ name: string } | null>(null);
  const [touched, setTouched] = useState(false);
  const [base, setBase] = useState(connection?.updated_at);
  const startFrom = (now: Connection) => {
    setName(now.name);
    setValues(startValues(inputs, now.settings));
    setTouched(false);
    setBase(now.updated_at);
  };
  // A colleague saved something: a form that nobody began to fill in follows.
  if (connection !== undefined && connection.updated_at !== base && !touched) startFrom(connection);
  const stored = connection && { settings: connection.settings, secrets: connection.secrets_set };
  return {
    inputs,
    name,
    values,
    stored,
    seen,
    refused,
    setName: (next) => {
      setTouched(true);
      setName(next);
    },
    set: (key, value) => {
      setTouched(true);
      setValues((v) => ({ ...v, [key]: value }));
      setSeen(({ [key]: _, ...others }) => others);
    },
    ready: (suggested) => {
      const next = suggested ? filled(inputs, values, suggested.setting, suggested.value) : values;
      const found = refusals(inputs, next, stored);
      const first = shownOf(inputs, next).find((i) => found[i.name] !== undefined);
      setTouched(true);
      setValues(next);
      setSeen(found);
      setRefused(first ? { name: first.name } : null);
      return first ? null : { name: name.trim(), settings: settingsOf(inputs, next) };
    },
    reset: (now) => {
      startFrom(now);
      setSeen({});
      setRefused(null);
    },
  };
}
