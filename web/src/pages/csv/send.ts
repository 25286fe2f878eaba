// Sends a file and lets everything that reads its rows look again.
import type { QueryClient } from "@tanstack/react-query";
import { connections } from "../../api/queries";
import { upload } from "../../api/upload";

export async function send(
  queries: QueryClient,
  connectionId: string,
  file: File,
  emailColumn?: string,
): Promise<void> {
  const report = await upload(connectionId, file, emailColumn);
  if (report !== null) await queries.invalidateQueries({ queryKey: connections().queryKey });
}
