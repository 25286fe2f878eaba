// The inputs of a connector's settings, drawn from its schema. Those of no use with the values of others are left
// out.
import { PasswordInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { listed } from "../parts/text";
import { PemArea } from "./PemArea";
import type { Input } from "./schema";
import { reboundBy, shownOf, type Stored, type Values } from "./values";
import classes from "./SettingsInputs.module.css";

interface Props {
  inputs: readonly Input[];
  values: Values;
  errors: Record<string, string>;
  /** What is stored, for a connection that exists. A secret left empty stays. */
  stored?: Stored;
  onChange: (name: string, value: string | boolean) => void;
}

interface OneProps extends Props {
  /** The inputs whose change asks for the secrets again. */
  rebound: readonly string[];
}

export function SettingsInputs(props: Props) {
  const shown = shownOf(props.inputs, props.values).filter((i) => !(i.kind === "choice" && i.choices.length < 2));
  const usual = shown.filter((i) => !i.advanced);
  const advanced = shown.filter((i) => i.advanced);
  const wrong = advanced.some((i) => props.errors[i.name] !== undefined);
  const rebound = reboundBy(props.inputs, props.values, props.stored);
  return (
    <>
      {grouped(usual).map(([group, inputs]) => (
        <fieldset key={group} className={classes.group}>
          {group !== "" && <legend>{group}</legend>}
          {inputs.map((input) => (
            <One key={input.name} input={input} rebound={rebound} {...props} />
          ))}
        </fieldset>
      ))}
      {advanced.length > 0 && (
        <More open={wrong}>
          <div className={classes.group}>
            {advanced.map((input) => (
              <One key={input.name} input={input} rebound={rebound} {...props} />
            ))}
          </div>
        </More>
      )}
    </>
  );
}

// Open when asked for, and whenever something inside needs another look.
function More({ open, children }: { open: boolean; children: ReactNode }) {
  const [asked, setAsked] = useState(false);
  const shown = asked || open;
  return (
    <div className={classes.more}>
      <button type="button" className={classes.toggle} aria-expanded={shown} onClick={() => setAsked(!shown)}>
        <IconChevronRight size={17} stroke={1.75} aria-hidden="true" />
        More settings
      </button>
      {shown && children}
    </div>
  );
}

function One(props: OneProps & { input: Input }) {
  const { input, rebound, stored } = props;
  if (!input.binds || !stored?.secrets.length) return <Drawn {...props} />;
  const asked = shownOf(props.inputs, props.values)
    .filter((i) => i.secret && stored.secrets.includes(i.name))
    .map((i) => `“${i.title}”`);
  return (
    <div>
      <Drawn {...props} />
      <p className={classes.notice} role="status">
        {rebound.includes(input.title) && `Enter ${listed(asked)} again: “${input.title}” decides who gets to see it.`}
      </p>
    </div>
  );
}

function Drawn({ input, values, errors, stored, rebound, onChange }: OneProps & { input: Input }) {
  const value = values[input.name] ?? "";
  const chosen = input.choices.find((c) => c.value === value);
  const kept = input.secret && (stored?.secrets.includes(input.name) ?? false);
  const again = kept && rebound.length > 0;
  // A schema cannot say "needed" of what is of use only now and then: its description does.
  const needless = kept || input.kind === "switch" || input.fallback !== undefined || input.when.length > 0;
  const common = {
    name: input.name,
    label: input.required || again ? input.title : <Optional title={input.title} needless={needless} />,
    description: [chosen?.description || input.description, input.help].filter(Boolean).join(" ") || undefined,
    error: errors[input.name],
  };
  const text = {
    ...common,
    value: String(value),
    placeholder: kept ? (again ? "Enter it again" : "Stored. Leave empty to keep it") : input.placeholder,
    onChange: (e: { currentTarget: { value: string } }) => onChange(input.name, e.currentTarget.value),
  };
  switch (input.kind) {
    case "switch":
      return (
        <Switch {...common} checked={value === true} onChange={(e) => onChange(input.name, e.currentTarget.checked)} />
      );
    case "choice":
      return (
        <Select
          {...common}
          value={String(value) || null}
          data={input.choices}
          placeholder={input.placeholder}
          onChange={(v) => onChange(input.name, v ?? "")}
        />
      );
    case "area":
      return input.pem ? (
        <PemArea {...text} title={input.title} take={(pem) => onChange(input.name, pem)} />
      ) : (
        <Textarea {...text} autosize minRows={3} maxRows={10} />
      );
    case "lines":
      return <Textarea {...text} autosize minRows={3} maxRows={10} />;
    case "number":
      return <TextInput {...text} inputMode="numeric" className={classes.number} />;
    case "secret":
      return (
        <PasswordInput
          {...text}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ "aria-label": `Show or hide: ${input.title}` }}
        />
      );
    default:
      return <TextInput {...text} maxLength={input.maxLength} autoComplete="off" spellCheck={false} />;
  }
}

function Optional({ title, needless }: { title: string; needless: boolean }) {
  if (needless) return <>{title}</>;
  return (
    <>
      {title} <span className={classes.optional}>optional</span>
    </>
  );
}

function grouped(inputs: readonly Input[]): [string, Input[]][] {
  const groups = new Map<string, Input[]>();
  for (const input of inputs) groups.set(input.group, [...(groups.get(input.group) ?? []), input]);
  return [...groups];
}
