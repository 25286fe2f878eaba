// Taking the audit log along as a file. A link cannot carry the access token, so the file is fetched and then saved.
import { api, data } from "../../api/client";
import { ProblemError } from "../../api/problem";

/** exportAudit fetches the whole log and hands it to the browser as a download. */
export async function exportAudit(): Promise<void> {
  const answer = await api.GET("/api/v1/audit/export", { parseAs: "blob" }).catch((err: unknown) => {
    throw err instanceof ProblemError ? err : brokenOff();
  });
  const file: Blob = await data(Promise.resolve(answer));
  save(file, nameOf(answer.response.headers.get("Content-Disposition")));
}

/** nameOf is the file's name as the server gives it. */
export function nameOf(disposition: string | null): string {
  const [, name] = /filename="([\w.-]+)"/.exec(disposition ?? "") ?? [];
  return name ?? "sidecard-audit.csv";
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
