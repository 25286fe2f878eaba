// The end of a company's account: seven days ahead, with a password, and to be called off until then.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../../api/client";
import { asProblem } from "../../api/problem";
import { Note, ProblemNote } from "../../parts/Note";
import { moment } from "../../parts/text";
import { CurrentPassword, FormProblem, told } from "./Inputs";
import { me as meQuery, tenant, useStale, type Me, type Tenant } from "./people";
import classes from "./people.module.css";

export function Deletion({ company, me }: { company: Tenant; me: Me }) {
  const owner = me.role === "owner";
  if (company.delete_at !== undefined) return <Planned company={company} at={company.delete_at} owner={owner} />;
  return <Plan company={company} owner={owner} />;
}

function useTaken() {
  const queries = useQueryClient();
  const stale = useStale();
  return (now: Tenant) => {
    queries.setQueryData(tenant().queryKey, now);
    void stale(meQuery);
  };
}

function Planned({ company, at, owner }: { company: Tenant; at: string; owner: boolean }) {
  const taken = useTaken();
  const stale = useStale();
  const cancel = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/tenant/deletion")),
    onSuccess: taken,
    onError: () => stale(tenant), // another owner may have been faster
  });
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <p className={classes.text}>
        Everything of {company.name} is deleted on <strong>{moment(new Date(at))}</strong>: chats, card, sources, lists,
        tokens, the audit log, and the accounts of who belongs to no other company.
      </p>
      {cancel.error !== null && <ProblemNote problem={asProblem(cancel.error)} title="Not called off" />}
      {owner ? (
        <Button loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Call the deletion off
        </Button>
      ) : (
        <p className="sc-dim">An owner can call it off.</p>
      )}
    </div>
  );
}

function Plan({ company, owner }: { company: Tenant; owner: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <p className={classes.text}>
        Deletes {company.name} with everything in it after seven days. Until then everything works as before, and an
        owner can call it off.
      </p>
      {owner ? (
        <Button variant="outline" color="vermilion" onClick={() => setAsking(true)}>
          Delete {company.name}
        </Button>
      ) : (
        <p className="sc-dim">Only an owner can do this.</p>
      )}
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Delete ${company.name} in seven days?`}
        centered
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <PlanForm close={() => setAsking(false)} />
      </Modal>
    </div>
  );
}

function PlanForm({ close }: { close: () => void }) {
  const taken = useTaken();
  const [password, setPassword] = useState("");
  const plan = useMutation({
    mutationFn: () => data(api.POST("/api/v1/tenant/deletion", { body: { password } })),
    onSuccess: (now) => {
      close();
      taken(now);
    },
    gcTime: 0,
  });
  const problem = told(plan.error, ["password"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    plan.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.narrowForm}>
      <Note tone="bad" title="After seven days nothing can be brought back">
        Chats, card, sources with their passwords, lists, tokens and the audit log are gone. Your agents get no cards
        any more. Every owner gets a mail now.
      </Note>
      <FormProblem of={problem} title="No deletion is planned" />
      <CurrentPassword value={password} change={setPassword} error={problem.byField.password} first />
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          Keep the company
        </Button>
        <Button type="submit" color="vermilion" loading={plan.isPending}>
          Delete in seven days
        </Button>
      </div>
    </form>
  );
}
