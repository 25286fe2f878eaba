// The inputs of a connector's settings, drawn from its schema.
import { PasswordInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import type { Input, Values } from "./schema";
import classes from "./SettingsInputs.module.css";

interface Props {
  inputs: readonly Input[];
  values: Values;
  errors: Record<string, string>;
  /** Secrets that are stored: left empty, they stay. */
  kept?: readonly string[];
  onChange: (name: string, value: string | boolean) => void;
}

export function SettingsInputs(props: Props) {
  const usual = props.inputs.filter((i) => !i.advanced);
  const advanced = props.inputs.filter((i) => i.advanced);
  const wrong = advanced.some((i) => props.errors[i.name] !== undefined);
  return (
    <>
      {grouped(usual).map(([group, inputs]) => (
        <fieldset key={group} className={classes.group}>
          {group !== "" && <legend>{group}</legend>}
          {inputs.map((input) => (
            <One key={input.name} input={input} {...props} />
          ))}
        </fieldset>
      ))}
      {advanced.length > 0 && (
        <More open={wrong}>
          <div className={classes.group}>
            {advanced.map((input) => (
              <One key={input.name} input={input} {...props} />
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

function One({ input, values, errors, kept = [], onChange }: Props & { input: Input }) {
  const value = values[input.name] ?? "";
  const chosen = input.choices.find((c) => c.value === value);
  const common = {
    name: input.name,
    label: input.required ? (
      input.title
    ) : (
      <Optional title={input.title} needless={input.kind === "switch" || input.fallback !== undefined} />
    ),
    description: [chosen?.description || input.description, input.help].filter(Boolean).join(" ") || undefined,
    error: errors[input.name],
  };
  const text = {
    ...common,
    value: String(value),
    onChange: (e: { currentTarget: { value: string } }) => onChange(input.name, e.currentTarget.value),
  };
  const stored = kept.includes(input.name);
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
    case "lines":
    case "area":
      return <Textarea {...text} placeholder={input.placeholder} autosize minRows={3} maxRows={10} />;
    case "number":
      return <TextInput {...text} placeholder={input.placeholder} inputMode="numeric" className={classes.number} />;
    case "secret":
      return (
        <PasswordInput
          {...text}
          placeholder={stored ? "Stored. Leave empty to keep it" : input.placeholder}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ "aria-label": `Show or hide: ${input.title}` }}
        />
      );
    default:
      return (
        <TextInput
          {...text}
          placeholder={input.placeholder}
          maxLength={input.maxLength}
          autoComplete="off"
          spellCheck={false}
        />
      );
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
