// The typed client of the API: adds the access token, renews it once when refused, throws ProblemError.
import createClient, { type FetchResponse } from "openapi-fetch";
import type { components, paths } from "./schema.gen";
import { readProblem, unreachable } from "./problem";
import { accessToken, baseUrl, renew } from "./session";

export type Schemas = components["schemas"];

export const api = createClient<paths>({ baseUrl: baseUrl(), fetch: authorized });

async function authorized(request: Request): Promise<Response> {
  const again = request.clone(); // a body can be read once
  const answer = await send(request, await accessToken());
  if (answer.status !== 401 || !(await renew())) return answer;
  return send(again, await accessToken());
}

async function send(request: Request, token: string | null): Promise<Response> {
  if (token !== null) request.headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (err) {
    if (request.signal.aborted) throw err;
    throw unreachable();
  }
}

/** data waits for an answer and gives its body, or throws the problem. */
export async function data<T extends Record<string | number, unknown>, O, M extends `${string}/${string}`>(
  call: Promise<FetchResponse<T, O, M>>,
): Promise<NonNullable<FetchResponse<T, O, M>["data"]>> {
  const answer = await call;
  if (answer.error !== undefined || !answer.response.ok) {
    throw readProblem(answer.response.status, answer.error);
  }
  return answer.data as NonNullable<FetchResponse<T, O, M>["data"]>;
}
