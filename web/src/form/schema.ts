// Reads a connector's settings schema (JSON Schema with x- hints) into the inputs of a form. Knows the subset
// that connectors use; see connectors.Spec.

export interface Input {
  name: string;
  title: string;
  description: string;
  help: string;
  kind: "text" | "secret" | "area" | "number" | "switch" | "choice" | "lines";
  /** Sealed and write-only, whatever it looks like. */
  secret: boolean;
  /** A key or certificate in PEM form, which people have as a file. */
  pem: boolean;
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
  pattern?: RegExp;
  /** What to type instead, when the pattern does not fit. */
  fix: string;
  /** Of use only while each of these inputs has one of the values. */
  when: { name: string; values: string[] }[];
  /** Says who is shown the secrets: when it changes, they are asked for again. */
  binds: boolean;
}

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
  pattern?: string;
  "x-secret"?: boolean;
  "x-order"?: number;
  "x-group"?: string;
  "x-advanced"?: boolean;
  "x-placeholder"?: string;
  "x-widget"?: string;
  "x-help"?: string;
  "x-fix"?: string;
  "x-when"?: Record<string, unknown[]>;
  "x-binds-secrets"?: boolean;
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
      secret: p["x-secret"] ?? false,
      pem: /^-----BEGIN /.test(p["x-placeholder"] ?? "") || /_pem$/.test(name),
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
      pattern: patternOf(p.pattern),
      fix: p["x-fix"] ?? "",
      when: Object.entries(p["x-when"] ?? {}).map(([other, values]) => ({ name: other, values: values.map(String) })),
      binds: p["x-binds-secrets"] ?? false,
    }));
}

function kindOf(p: Property): Input["kind"] {
  if (p["x-widget"] === "textarea") return "area";
  if (p["x-secret"] || p["x-widget"] === "password") return "secret";
  if (p.type === "boolean") return "switch";
  if (p.type === "integer" || p.type === "number") return "number";
  if (p.type === "array" || p["x-widget"] === "lines") return "lines";
  return p.enum !== undefined || p.oneOf !== undefined ? "choice" : "text";
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

// The server has the last word; a pattern that only it understands is left to it.
function patternOf(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}
