// Removing a source: says what goes with it, and asks once.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, data } from "../../api/client";
import { asProblem } from "../../api/problem";
import { connections, type Connection } from "../../api/queries";
import { ProblemNote } from "../../parts/Note";
import { plural } from "../../parts/text";
import classes from "./DeleteSource.module.css";

export function DeleteSource({ source, opened, close }: { source: Connection; opened: boolean; close: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () =>
      data(api.DELETE("/api/v1/connections/{connection_id}", { params: { path: { connection_id: source.id } } })),
    onSuccess: async () => {
      await navigate({ to: "/sources" });
      queries.removeQueries({ queryKey: [...connections().queryKey, source.id] });
      await queries.invalidateQueries({ queryKey: connections().queryKey, exact: true });
    },
  });
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={`Remove ${source.name}?`}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <p>{whatGoes(source)}</p>
      {remove.error !== null && (
        <div className={classes.problem}>
          <ProblemNote
            problem={asProblem(remove.error)}
            title="Not removed"
            actions={source.on_card && <Link to="/card">Open the card</Link>}
          />
        </div>
      )}
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          Keep it
        </Button>
        <Button color="vermilion" loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove
        </Button>
      </div>
    </Modal>
  );
}

function whatGoes(source: Connection): string {
  if (source.last_import !== undefined)
    return `Its ${plural(source.last_import.rows, "row")} are deleted here. Your file is not touched.`;
  if (source.kind === "csv") return "Nothing is in it yet.";
  return "Its settings, and its password or login, are deleted here. Nothing else changes in the system itself.";
}
