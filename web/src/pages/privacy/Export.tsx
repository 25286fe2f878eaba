// All of the company's data as a file, for an owner who shows the password.
import { Button, Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { exportTenant } from "../../api/download";
import { allowed } from "../../api/may";
import { Note } from "../../parts/Note";
import { CurrentPassword, FormProblem, told } from "../people/Inputs";
import { useStale } from "../people/people";
import classes from "../people/people.module.css";

export function Export() {
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState(false);
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <p className={classes.text}>
        A ZIP file with your settings, team, cards, lists, the audit log, and all chats with their visitors’ addresses.
        It holds no passwords and keys. Every owner gets a mail.
      </p>
      {done && (
        <Note tone="good" title="The file was saved" live>
          It holds addresses of your customers: keep it where only the right people find it.
        </Note>
      )}
      {allowed("exportTenant") ? (
        <Button variant="default" onClick={() => setAsking(true)}>
          Export your data
        </Button>
      ) : (
        <p className="sc-dim">Only an owner can do this.</p>
      )}
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title="Export your company’s data?"
        centered
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <ExportForm
          close={() => setAsking(false)}
          saved={() => {
            setAsking(false);
            setDone(true);
          }}
        />
      </Modal>
    </div>
  );
}

function ExportForm({ close, saved }: { close: () => void; saved: () => void }) {
  const stale = useStale();
  const [password, setPassword] = useState("");
  const making = useMutation({
    mutationFn: () => exportTenant(password),
    onSuccess: saved,
    onSettled: () => stale(),
    gcTime: 0,
  });
  const problem = told(making.error, ["password"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    making.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.narrowForm}>
      <FormProblem of={problem} title="Nothing was exported" />
      <CurrentPassword value={password} change={setPassword} error={problem.byField.password} first />
      <p role="status" className={classes.below}>
        {making.isPending ? "Preparing the file. With many chats this takes a while; keep this page open." : ""}
      </p>
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" disabled={password === ""} loading={making.isPending}>
          Export
        </Button>
      </div>
    </form>
  );
}
