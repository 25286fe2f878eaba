// Uploads of files, one a connection. They live outside the pages, so that leaving a page stops none.
import { useSyncExternalStore } from "react";
import type { ImportReport } from "./queries";
import { asProblem, ProblemError, readProblem } from "./problem";
import { accessToken } from "./session";

export type Upload =
  | { state: "sending"; file: File; sent: number; stop: () => void }
  | { state: "reading"; file: File; stop: () => void } // all bytes are there; the server reads the rows
  | { state: "done"; file: File; report: ImportReport }
  | { state: "failed"; file: File; problem: ProblemError };

const uploads = new Map<string, Upload>();
const listeners = new Set<() => void>();

/** useUpload gives the connection's last upload in this tab. */
export function useUpload(connectionId: string): Upload | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => uploads.get(connectionId),
  );
}

/** forgetUpload drops what is known of a finished upload. */
export function forgetUpload(connectionId: string): void {
  put(connectionId, undefined);
}

/** upload sends the file and resolves when it has ended, well or not; null when it was stopped. */
export async function upload(connectionId: string, file: File, emailColumn?: string): Promise<ImportReport | null> {
  const request = new XMLHttpRequest(); // fetch tells nothing about the progress of a request
  const stop = () => request.abort();
  put(connectionId, { state: "sending", file, sent: 0, stop });
  try {
    const token = await accessToken();
    const report = await post(request, path(connectionId, file, emailColumn), token, file, (sent) =>
      put(connectionId, sent < 1 ? { state: "sending", file, sent, stop } : { state: "reading", file, stop }),
    );
    put(connectionId, report === null ? undefined : { state: "done", file, report });
    return report;
  } catch (err) {
    put(connectionId, { state: "failed", file, problem: asProblem(err) });
    return null;
  }
}

function path(connectionId: string, file: File, emailColumn?: string): string {
  const query = new URLSearchParams({ filename: file.name.slice(0, 200) });
  if (emailColumn) query.set("email_column", emailColumn);
  return `/api/v1/connections/${encodeURIComponent(connectionId)}/import?${query}`;
}

function post(
  request: XMLHttpRequest,
  url: string,
  token: string | null,
  file: File,
  progress: (sent: number) => void,
): Promise<ImportReport | null> {
  return new Promise((resolve, reject) => {
    request.open("POST", url);
    request.setRequestHeader("Content-Type", "text/csv");
    if (token !== null) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.responseType = "text";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total);
    };
    request.upload.onload = () => progress(1);
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status === 200) resolve(body as ImportReport);
      else reject(readProblem(request.status, body));
    };
    request.onerror = () => reject(brokenOff());
    request.onabort = () => resolve(null);
    request.send(file);
  });
}

function brokenOff(): ProblemError {
  return new ProblemError({
    type: "about:blank",
    title: "Broken off",
    status: 0,
    code: "broken_off",
    detail:
      "The upload broke off. Check your connection, and that the file still is where it was, then choose it again.",
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function put(connectionId: string, upload: Upload | undefined): void {
  if (upload === undefined) uploads.delete(connectionId);
  else uploads.set(connectionId, upload);
  listeners.forEach((listener) => listener());
}
