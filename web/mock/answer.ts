// Answers of the made-up API.
import type { S } from "./tenant.ts";

export type Answer = { status: number; body?: unknown };

export const ok = (body: unknown): Answer => ({ status: 200, body });

export const problem = (status: number, code: string, detail: string, errors?: S["FieldProblem"][]): Answer => ({
  status,
  body: {
    type: "about:blank",
    title: "Problem",
    status,
    code,
    detail,
    errors,
    request_id: status >= 500 ? "req_81fC" : undefined,
  } satisfies S["Problem"],
});
