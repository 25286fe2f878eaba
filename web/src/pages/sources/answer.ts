// What a vendor's login page sends the browser back with (RFC 6749, 4.1.2).

export interface Answer {
  code?: string;
  state?: string;
  error?: string;
}

/** readAnswer takes what belongs to an answer out of an address. */
export function readAnswer(search: Record<string, unknown>): Answer {
  const answer: Answer = {};
  for (const name of ["code", "state", "error"] as const) {
    // The router makes numbers of what it can write back the same.
    if (search[name] !== undefined && search[name] !== "") answer[name] = String(search[name]);
  }
  return answer;
}

/** whole tells an answer from an address that somebody typed. */
export function whole({ code, state, error }: Answer): boolean {
  return state !== undefined && (code !== undefined || error !== undefined);
}
