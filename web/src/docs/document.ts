// An OpenAPI 3.0 document as the reference shows it: operations by tag, and schemas as lists of properties.
import { parse } from "yaml";

export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
  example?: unknown;
}

interface Content {
  schema?: Schema;
}

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Answer {
  $ref?: string;
  description?: string;
  content?: Record<string, Content>;
}

interface RawOperation {
  operationId?: string;
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, Content> };
  responses?: Record<string, Answer>;
}

type PathItem = Record<string, RawOperation> & { parameters?: Parameter[] };

interface Raw {
  info?: { title?: string; version?: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths?: Record<string, PathItem>;
  components?: {
    schemas?: Record<string, Schema>;
    parameters?: Record<string, Parameter>;
    responses?: Record<string, Answer>;
  };
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  open: boolean; // needs no token
  parameters: Parameter[];
  body?: { type: string; schema: Schema };
  answers: { status: string; description: string; type?: string; schema?: Schema }[];
}

export interface Document {
  title: string;
  version: string;
  description: string;
  tags: { name: string; description: string; operations: Operation[] }[];
  resolve: (schema: Schema) => { name: string; schema: Schema };
}

const methods = ["get", "post", "put", "patch", "delete"];

/** readDocument parses the YAML and puts the operations under their tags, in the file's order. */
export function readDocument(text: string): Document {
  const raw = parse(text) as Raw;
  const find = <T extends { $ref?: string }>(value: T, all: Record<string, T> | undefined): T =>
    value.$ref === undefined ? value : (all?.[nameOf(value.$ref)] ?? value);
  const operations = Object.entries(raw.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const op = item[method];
      if (op === undefined) return [];
      const parameters = [...(item.parameters ?? []), ...(op.parameters ?? [])].map((p) =>
        find(p, raw.components?.parameters),
      );
      return [
        {
          tags: op.tags ?? [],
          operation: operationOf(op, method, path, parameters, (a) => find(a, raw.components?.responses)),
        },
      ];
    }),
  );
  return {
    title: raw.info?.title ?? "",
    version: raw.info?.version ?? "",
    description: raw.info?.description ?? "",
    tags: (raw.tags ?? []).map((tag) => ({
      name: tag.name,
      description: tag.description ?? "",
      operations: operations.filter((o) => o.tags.includes(tag.name)).map((o) => o.operation),
    })),
    resolve: (schema) => {
      const name = schema.$ref === undefined ? "" : nameOf(schema.$ref);
      return { name, schema: name === "" ? schema : (raw.components?.schemas?.[name] ?? {}) };
    },
  };
}

function operationOf(
  op: RawOperation,
  method: string,
  path: string,
  parameters: Parameter[],
  find: (a: Answer) => Answer,
): Operation {
  const [bodyType, body] = Object.entries(op.requestBody?.content ?? {})[0] ?? [];
  return {
    id: op.operationId ?? `${method}-${path}`,
    method: method.toUpperCase(),
    path,
    summary: op.summary ?? "",
    description: op.description ?? "",
    open: op.security?.length === 0,
    parameters,
    body: bodyType === undefined || body?.schema === undefined ? undefined : { type: bodyType, schema: body.schema },
    answers: Object.entries(op.responses ?? {}).map(([status, answer]) => {
      const found = find(answer);
      const [type, content] = Object.entries(found.content ?? {})[0] ?? [];
      return {
        status: status === "default" ? "else" : status,
        description: found.description ?? "",
        type,
        schema: content?.schema,
      };
    }),
  };
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

/** typeText says a schema's type in words: "list of CardLine", "text, e-mail". */
export function typeText(schema: Schema, resolve: Document["resolve"]): string {
  const { name, schema: found } = resolve(schema);
  if (found.enum !== undefined) return "one of";
  if (found.type === "array")
    return `list of ${found.items === undefined ? "anything" : typeText(found.items, resolve)}`;
  if (name !== "" && found.type === "object") return name;
  const words: Record<string, string> = {
    string: "text",
    integer: "whole number",
    number: "number",
    boolean: "true or false",
    object: "object",
  };
  const base = words[found.type ?? ""] ?? "anything";
  return found.format === undefined ? base : `${base}, ${found.format}`;
}

/** limitsText says what a value must keep to: "12 to 128 characters". */
export function limitsText(schema: Schema): string {
  const range = (min: number | undefined, max: number | undefined, unit: string) => {
    if (min !== undefined && max !== undefined) return `${min} to ${max}${unit}`;
    if (max !== undefined) return `at most ${max}${unit}`;
    return min === undefined ? "" : `at least ${min}${unit}`;
  };
  return [
    range(schema.minLength, schema.maxLength, " characters"),
    range(schema.minimum, schema.maximum, ""),
    range(schema.minItems, schema.maxItems, " entries"),
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
  ]
    .filter(Boolean)
    .join("; ");
}
