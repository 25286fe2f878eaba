// Files that the API makes. A link cannot carry the access token, so a file is fetched and then saved.
import type { FetchResponse } from "openapi-fetch";
import { api, data } from "./client";
import { ProblemError } from "./problem";

/** exportAudit fetches the whole audit log and hands it to the browser as a download. */
export function exportAudit(): Promise<void> {
  return saved(api.GET("/api/v1/audit/export", { parseAs: "blob" }), "sidecard-audit.csv");
}

/** exportTenant fetches all of the company's data and hands it to the browser as a download. */
export function exportTenant(password: string): Promise<void> {
  return saved(api.POST("/api/v1/tenant/export", { body: { password }, parseAs: "blob" }), "sidecard.zip");
}

async function saved<T extends Record<string | number, unknown>>(
  call: Promise<FetchResponse<T, { parseAs: "blob" }, `${string}/${string}`>>,
  usual: string,
): Promise<void> {
  const answer = await call.catch((err: unknown) => {
    throw err instanceof ProblemError ? err : brokenOff();
  });
  const file = (await data(Promise.resolve(answer))) as Blob;
  save(file, nameOf(answer.response.headers.get("Content-Disposition"), usual));
}

/** nameOf is the file's name as the server gives it. */
export function nameOf(disposition: string | null, usual: string): string {
  const [, name] = /filename="([\w.-]+)"/.exec(disposition ?? "") ?? [];
  return name ?? usual;
}

function save(file: Blob, name: string) {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers read it only after the click
}

function brokenOff(): ProblemError {
  return new ProblemError({
    type: "about:blank",
    title: "Broken off",
    status: 0,
    code: "broken_off",
    detail: "The download broke off before its end, and nothing was saved. Check your connection and try again.",
  });
}
