// What stands in a form's inputs: from stored settings and back, what of it is shown, and what is wrong with it.
import type { Input } from "./schema";

/** The text or state of each input, by its name. A list is one entry a line. */
export type Values = Record<string, string | boolean>;

/** startValues fills the form from stored settings, or else from the defaults. Secrets never come back. */
export function startValues(inputs: readonly Input[], settings: Record<string, unknown> = {}): Values {
  return Object.fromEntries(inputs.map((i) => [i.name, startValue(i, settings[i.name] ?? i.fallback)]));
}

function startValue(input: Input, value: unknown): string | boolean {
  if (input.kind === "switch") return value === true;
  if (input.secret || value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/** shownOf leaves out the inputs that are of no use with the values of others. */
export function shownOf(inputs: readonly Input[], values: Values): Input[] {
  const shown = (input: Input, below: readonly string[]): boolean =>
    input.when.every(({ name, values: wanted }) => {
      const other = inputs.find((i) => i.name === name);
      if (other === undefined || below.includes(name)) return true;
      return wanted.includes(String(values[name] ?? "")) && shown(other, [...below, name]);
    });
  return inputs.filter((i) => shown(i, [i.name]));
}

/**
 * filled puts a suggested value in. Where the input is of use only with other values, they are chosen too: a
 * fingerprint goes with the encryption that looks at it.
 */
export function filled(inputs: readonly Input[], values: Values, name: string, value: string): Values {
  const next = { ...values };
  const put = (wanted: string, text: string) => {
    const input = inputs.find((i) => i.name === wanted);
    if (input === undefined || done.has(wanted)) return;
    done.add(wanted);
    next[wanted] = input.kind === "switch" ? text === "true" : text;
    for (const { name: other, values: fit } of input.when) {
      const now = String(next[other] ?? "");
      put(other, fit.includes(now) ? now : (fit[0] ?? ""));
    }
  };
  const done = new Set<string>();
  put(name, value);
  return next;
}

/**
 * settingsOf makes the settings to be sent. What is empty or not shown is left out; secrets are sent as they were
 * typed.
 */
export function settingsOf(inputs: readonly Input[], values: Values): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const input of shownOf(inputs, values)) {
    const value = settingOf(input, values[input.name] ?? "");
    if (value !== undefined) settings[input.name] = value;
  }
  return settings;
}

function settingOf(input: Input, value: string | boolean): unknown {
  if (typeof value === "boolean") return value;
  if (input.secret) return value === "" ? undefined : value;
  const text = value.trim();
  if (input.kind === "lines") {
    const lines = text
      .split(/\r?\n/)
      .map((l) => l.trim())
      .filter(Boolean);
    return lines.length > 0 ? lines : undefined;
  }
  if (text === "") return undefined;
  return input.kind === "number" ? Number(text) : text;
}

/** What a form knows of the settings that are stored. */
export interface Stored {
  settings: Record<string, unknown>;
  /** Names of the secrets that have a value. */
  secrets: readonly string[];
}

/**
 * reboundBy gives the titles of the inputs whose change makes the stored secrets ask for themselves again: those
 * are for the server that was named before, and for no other.
 */
export function reboundBy(inputs: readonly Input[], values: Values, stored: Stored | undefined): string[] {
  if (stored === undefined || stored.secrets.length === 0) return [];
  const before = startValues(inputs, stored.settings);
  const shownBefore = shownOf(inputs, before);
  const shown = shownOf(inputs, values);
  const at = (visible: readonly Input[], input: Input, all: Values) =>
    visible.includes(input) ? settingOf(input, all[input.name] ?? "") : undefined;
  return inputs
    .filter((i) => i.binds && String(at(shown, i, values)) !== String(at(shownBefore, i, before)))
    .map((i) => i.title);
}

/** refusals names what can be seen to be wrong before anything is sent. Only what is shown can be. */
export function refusals(inputs: readonly Input[], values: Values, stored?: Stored): Record<string, string> {
  const found: Record<string, string> = {};
  const rebound = reboundBy(inputs, values, stored);
  for (const input of shownOf(inputs, values)) {
    const kept = stored?.secrets.includes(input.name) ?? false;
    const again = input.secret && kept && rebound.length > 0 ? rebound[0] : undefined;
    const sentence = refusal(input, values[input.name] ?? "", kept, again);
    if (sentence !== undefined) found[input.name] = sentence;
  }
  return found;
}

function refusal(input: Input, value: string | boolean, kept: boolean, again?: string): string | undefined {
  if (typeof value === "boolean") return undefined;
  if (value.trim() === "") {
    if (again !== undefined) return `Enter it again: ${again} has changed.`;
    return input.required && !kept ? "This is needed." : undefined;
  }
  if (input.kind === "number") return numberRefusal(input, Number(value));
  if (input.fix === "" || input.pattern === undefined) return undefined;
  const asSent = input.secret ? value : value.trim();
  return input.pattern.test(asSent) ? undefined : input.fix;
}

function numberRefusal(input: Input, n: number): string | undefined {
  if (!Number.isFinite(n)) return "Write a number.";
  if (input.whole && !Number.isInteger(n)) return "Write a whole number.";
  const { minimum: min, maximum: max } = input;
  if (min !== undefined && max !== undefined && (n < min || n > max)) return `Write a number from ${min} to ${max}.`;
  if (min !== undefined && n < min) return `Write a number from ${min} up.`;
  if (max !== undefined && n > max) return `Write a number up to ${max}.`;
  return undefined;
}
