// A visitor's address on a chat's page: masked, until somebody who may asks for it, which is noted.
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { allowed } from "../api/may";
import { api, data } from "../api/client";
import { asProblem } from "../api/problem";
import type { Chat } from "../api/queries";
import { CopyId } from "../parts/CopyField";

/** Made anew for each chat, so that the address of one is never shown with another. */
export function Address({ chat }: { chat: Chat }) {
  const queries = useQueryClient();
  const reveal = useMutation({
    mutationFn: () => data(api.POST("/api/v1/chats/{chat_id}/reveal", { params: { path: { chat_id: chat.id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["audit"] }),
    gcTime: 0,
  });
  if (chat.visitor_email === undefined) return null;
  const address = reveal.data?.email;
  return (
    <div>
      <dt>Address</dt>
      <dd>
        {address !== undefined ? (
          <CopyId value={address} name="address" />
        ) : (
          <>
            {chat.visitor_email}{" "}
            {allowed("revealVisitor") && (
              <Button
                size="compact-xs"
                variant="default"
                loading={reveal.isPending}
                title="The audit log notes that you looked."
                onClick={() => reveal.mutate()}
              >
                Show
              </Button>
            )}
          </>
        )}
        {reveal.error !== null && <p className="sc-dim">{asProblem(reveal.error).message}</p>}
      </dd>
    </div>
  );
}
