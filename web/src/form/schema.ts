// Reads a connector's settings schema (JSON Schema with x- hints) into the inputs of a form, and the form's
// values back into settings. Knows the subset that connectors use; see connectors.Spec.

export interface Input {
  name: string;
  title: string;
  description: string;
  help: string;
  kind: "text" | "secret" | "area" | "number" | "switch" | "choice" | "lines";
  required: boolean;
  group: string;
  advanced: boolean;
  placeholder: string;
  choices: { value: string; label: string; description: string }[];
  fallback: unknown; // the schema's default
  whole: boolean; // no fractions
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

/** The text or state of each input, by its name. A list is one entry a line. */
export type Values = Record<string, string | boolean>;

interface Property {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  oneOf?: { const?: unknown; title?: string; description?: string }[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  "x-secret"?: boolean;
  "x-order"?: number;
  "x-group"?: string;
  "x-advanced"?: boolean;
  "x-placeholder"?: string;
  "x-widget"?: string;
  "x-help"?: string;
}

interface Schema {
  properties?: Record<string, Property>;
  required?: string[];
}

const last = Number.MAX_SAFE_INTEGER;

/** inputsOf gives the inputs in the order in which people fill them in. */
export function inputsOf(schema: unknown): Input[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Schema;
  return Object.entries(properties)
    .sort(([, a], [, b]) => (a["x-order"] ?? last) - (b["x-order"] ?? last))
    .map(([name, p]) => ({
      name,
      title: p.title ?? name,
      description: p.description ?? "",
      help: p["x-help"] ?? "",
      kind: kindOf(p),
      required: required.includes(name),
      group: p["x-group"] ?? "",
      advanced: p["x-advanced"] ?? false,
      placeholder: p["x-placeholder"] ?? "",
      choices: choicesOf(p),
      fallback: p.default,
      whole: p.type === "integer",
      minimum: p.minimum,
      maximum: p.maximum,
      maxLength: p.maxLength,
    }));
}

function kindOf(p: Property): Input["kind"] {
  if (p["x-secret"] || p["x-widget"] === "password") return "secret";
  if (p.type === "boolean") return "switch";
  if (p.type === "integer" || p.type === "number") return "number";
  if (p.type === "array" || p["x-widget"] === "lines") return "lines";
  if (p.enum !== undefined || p.oneOf !== undefined) return "choice";
  return p["x-widget"] === "textarea" ? "area" : "text";
}

function choicesOf(p: Property): Input["choices"] {
  if (p.oneOf !== undefined)
    return p.oneOf.map((o) => ({
      value: String(o.const),
      label: o.title ?? String(o.const),
      description: o.description ?? "",
    }));
  return (p.enum ?? []).map((v) => ({ value: String(v), label: String(v), description: "" }));
}

/** startValues fills the form from stored settings, or else from the defaults. Secrets never come back. */
export function startValues(inputs: readonly Input[], settings: Record<string, unknown> = {}): Values {
  return Object.fromEntries(inputs.map((i) => [i.name, startValue(i, settings[i.name] ?? i.fallback)]));
}

function startValue(input: Input, value: unknown): string | boolean {
  if (input.kind === "switch") return value === true;
  if (input.kind === "secret" || value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/** settingsOf makes the settings to be sent. What is empty is left out; secrets are sent as they were typed. */
export function settingsOf(inputs: readonly Input[], values: Values): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const input of inputs) {
    const value = settingOf(input, values[input.name] ?? "");
    if (value !== undefined) settings[input.name] = value;
  }
  return settings;
}

function settingOf(input: Input, value: string | boolean): unknown {
  if (typeof value === "boolean") return value;
  if (input.kind === "secret") return value === "" ? undefined : value;
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

/** refusals names what can be seen to be wrong before anything is sent. `kept` are secrets that have a value. */
export function refusals(
  inputs: readonly Input[],
  values: Values,
  kept: readonly string[] = [],
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const input of inputs) {
    const sentence = refusal(input, values[input.name] ?? "", kept.includes(input.name));
    if (sentence !== undefined) found[input.name] = sentence;
  }
  return found;
}

function refusal(input: Input, value: string | boolean, kept: boolean): string | undefined {
  if (typeof value === "boolean") return undefined;
  if (value.trim() === "") return input.required && !kept ? "This is needed." : undefined;
  if (input.kind !== "number") return undefined;
  const n = Number(value);
  if (!Number.isFinite(n)) return "Write a number.";
  if (input.whole && !Number.isInteger(n)) return "Write a whole number.";
  const { minimum: min, maximum: max } = input;
  if (min !== undefined && max !== undefined && (n < min || n > max)) return `Write a number from ${min} to ${max}.`;
  if (min !== undefined && n < min) return `Write a number from ${min} up.`;
  if (max !== undefined && n > max) return `Write a number up to ${max}.`;
  return undefined;
}
