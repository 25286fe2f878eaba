// The second factor: off, being set up, or on. Its recovery codes are shown once, right after it was set up.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../../api/client";
import { Status } from "../../parts/Status";
import { FactorSetup } from "./FactorSetup";
import { CodeInput, CurrentPassword, FormProblem, told } from "./Inputs";
import { me as meQuery, members, useStale, type Me } from "./people";
import { RecoveryCodes } from "./RecoveryCodes";
import { useMoved } from "./useMoved";
import classes from "./people.module.css";

export function SecondFactor({ me }: { me: Me }) {
  const queries = useQueryClient();
  const [setting, setSetting] = useState(false);
  const [codes, setCodes] = useState<readonly string[]>();
  const stage = codes !== undefined ? "codes" : setting && !me.user.second_factor ? "setting" : "";
  const place = useMoved(stage);
  const on = (fresh: readonly string[]) => {
    setCodes(fresh);
    setSetting(false);
    void queries.invalidateQueries(); // where one is required, nothing could be read before
  };
  return (
    <div ref={place}>
      {codes !== undefined ? (
        <RecoveryCodes codes={codes} email={me.user.email} done={() => setCodes(undefined)} />
      ) : stage === "setting" ? (
        <FactorSetup on={on} cancel={() => setSetting(false)} />
      ) : (
        <Standing me={me} setUp={() => setSetting(true)} />
      )}
    </div>
  );
}

function Standing({ me, setUp }: { me: Me; setUp: () => void }) {
  const [removing, setRemoving] = useState(false);
  const on = me.user.second_factor;
  return (
    <div className={classes.stack}>
      {on ? (
        <Status name="working" word="On" />
      ) : (
        <Status
          name={me.second_factor_missing ? "warning" : "todo"}
          word={me.second_factor_missing ? "Missing" : "Off"}
        />
      )}
      <p className={classes.text}>
        {on
          ? "To sign in you give your password and the code of your authenticator app, or a recovery code."
          : "With it, a stolen password is not enough to sign in: a code of an authenticator app on your phone is asked for as well."}
      </p>
      {on ? (
        <Button variant="default" onClick={() => setRemoving(true)}>
          Remove it
        </Button>
      ) : (
        <Button onClick={setUp}>Set it up</Button>
      )}
      <Remove opened={removing} close={() => setRemoving(false)} />
    </div>
  );
}

function Remove({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Remove the second factor?"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <RemoveForm close={close} />
    </Modal>
  );
}

function RemoveForm({ close }: { close: () => void }) {
  const stale = useStale();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const remove = useMutation({
    mutationFn: () => data(api.POST("/api/v1/me/second-factor/remove", { body: { password, code: code.trim() } })),
    onSuccess: async () => {
      await stale(meQuery, members);
      close();
    },
    gcTime: 0,
  });
  const problem = told(remove.error, ["password", "code"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    remove.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.narrowForm}>
      <p>You will sign in by password alone, and your recovery codes end.</p>
      <FormProblem of={problem} title="Not removed" />
      <CurrentPassword value={password} change={setPassword} error={problem.byField.password} first />
      <CodeInput
        description="What your authenticator app shows now, or a recovery code."
        value={code}
        change={setCode}
        error={problem.byField.code}
      />
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          Keep it
        </Button>
        <Button type="submit" color="vermilion" loading={remove.isPending}>
          Remove
        </Button>
      </div>
    </form>
  );
}
