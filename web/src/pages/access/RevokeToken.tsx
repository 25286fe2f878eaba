// Revoking a token: says what stops, and asks once.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ProblemNote } from "../../parts/Note";
import { Time } from "../../parts/Time";
import { everyAudit, tokens, type Token } from "./access";
import { running } from "./expiry";
import classes from "./access.module.css";

interface Props {
  /** What to revoke; the dialog is open while there is something. */
  token: Token | undefined;
  close: () => void;
}

export function RevokeToken({ token, close }: Props) {
  const [shown, setShown] = useState(token); // stays to be seen while the dialog closes
  if (token !== undefined && token !== shown) setShown(token);
  return (
    <Modal
      opened={token !== undefined}
      onClose={close}
      title={`Revoke ${shown?.name ?? ""}?`}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {shown !== undefined && <Question key={shown.id} token={shown} close={close} />}
    </Modal>
  );
}

function Question({ token, close }: { token: Token; close: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: token.id } } })),
    onSuccess: () => {
      void queries.invalidateQueries(everyAudit);
      close();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: tokens().queryKey }), // a refusal may mean that it is gone
  });
  return (
    <>
      <p>
        {running(token)
          ? "Whatever uses it is refused within five seconds. It cannot be brought back; a new token is made in a moment."
          : "It has expired and does nothing any more. Revoked, it leaves this list."}
      </p>
      <p className={classes.below}>
        {token.last_used_at === undefined ? (
          "It was never used."
        ) : (
          <>
            Last used: <Time at={token.last_used_at} />
          </>
        )}
      </p>
      {revoke.error !== null && (
        <div className={classes.gap}>
          <ProblemNote problem={asProblem(revoke.error)} title="Not revoked" />
        </div>
      )}
      <div className={`${classes.actions} ${classes.gap}`}>
        <Button variant="default" onClick={close}>
          Keep it
        </Button>
        <Button color="vermilion" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke
        </Button>
      </div>
    </>
  );
}
