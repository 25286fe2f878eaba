// What went wrong, as the API says it (application/problem+json), and where to show it.
import type { components } from "./schema.gen";

type Body = components["schemas"]["Problem"];

/** ProblemError is every failed call: refused by the API, or not reached at all. */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: readonly FieldProblem[];

  constructor(body: Body) {
    super(body.detail);
    this.name = "ProblemError";
    this.status = body.status;
    this.code = body.code;
    this.requestId = body.request_id;
    this.fields = body.errors ?? [];
  }
}

export type FieldProblem = components["schemas"]["FieldProblem"];

/** readProblem makes a ProblemError of an answer's body, whatever the body turns out to be. */
export function readProblem(status: number, body: unknown): ProblemError {
  if (isProblem(body)) return new ProblemError(body);
  return new ProblemError({
    type: "about:blank",
    title: "Unexpected answer",
    status,
    code: "unexpected_answer",
    detail: `The server answered ${status || "nothing"} in a way this page does not understand. Try again; if it stays, reload the page.`,
  });
}

/** unreachable is the problem of a call that got no answer. */
export function unreachable(): ProblemError {
  return new ProblemError({
    type: "about:blank",
    title: "Not reached",
    status: 0,
    code: "unreachable",
    detail: "Sidecard could not be reached. Check your connection and try again. Your agents still get their cards.",
  });
}

/** asProblem makes any thrown value presentable. */
export function asProblem(err: unknown): ProblemError {
  return err instanceof ProblemError ? err : readProblem(0, undefined);
}

/**
 * fieldProblems maps the problem's pointers to the names of a form's inputs. The prefix is the part of the
 * body that the form edits, e.g. "/settings". A pointer below an input ("/columns/2") belongs to the input.
 * What belongs to no input is in `rest`, to be shown above the form.
 */
export function fieldProblems(
  problem: ProblemError | null | undefined,
  inputs: readonly string[],
  prefix = "",
): { byField: Record<string, string>; rest: FieldProblem[] } {
  const byField: Record<string, string> = {};
  const rest: FieldProblem[] = [];
  for (const p of problem?.fields ?? []) {
    const name = fieldOf(p.pointer, prefix);
    if (name === undefined || !inputs.includes(name)) {
      rest.push(p);
    } else {
      byField[name] ??= p.detail;
    }
  }
  return { byField, rest };
}

function fieldOf(pointer: string, prefix: string): string | undefined {
  if (!pointer.startsWith("/")) return prefix === "" ? pointer : undefined; // the name of a parameter
  if (!pointer.startsWith(`${prefix}/`)) return undefined;
  const token = pointer.slice(prefix.length + 1).split("/")[0] ?? "";
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}

function isProblem(body: unknown): body is Body {
  if (typeof body !== "object" || body === null) return false;
  const b = body as Partial<Body>;
  return typeof b.detail === "string" && typeof b.code === "string" && typeof b.status === "number";
}
