// The webhook secret: made here or brought along, shown until the page is left and never again.
import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data, type Schemas } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem, fieldProblems } from "../../api/problem";
import { desk as deskQuery, type Desk } from "../../api/queries";
import { CopyField } from "../../parts/CopyField";
import { Note, ProblemNote } from "../../parts/Note";
import { moment } from "../../parts/text";
import classes from "./Secret.module.css";

const keepChoices = [
  { value: "0", label: "ends at once" },
  { value: "1", label: "stays valid for 1 hour" },
  { value: "24", label: "stays valid for 1 day" },
  { value: "168", label: "stays valid for 7 days" },
];

export function Secret({ desk, warning }: { desk: Desk; warning?: string }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const rotate = useMutation({
    mutationFn: (body: Schemas["SecretRotation"]) => data(api.POST("/api/v1/desk/secret", { body })),
    onSuccess: () => {
      setOpen(false);
      return queries.invalidateQueries({ queryKey: deskQuery().queryKey, exact: true });
    },
  });
  const secret = rotate.data?.secret;
  const changes = allowed("rotateSecret");
  return (
    <div className={classes.secret}>
      {secret !== undefined && (
        <CopyField
          label={`Secret, ${secret.length} characters. Shown until you leave this page`}
          name="secret"
          value={secret}
          warning={warning && `${warning} Copy this one again.`}
        />
      )}
      {secret === undefined && desk.secret_set && (
        <>
          <p className={classes.stored}>
            <strong>Secret</strong> stored, and not shown again.
          </p>
          {warning !== undefined && (
            <Note tone="warn" title={warning}>
              {changes ? "Make" : "An admin or an owner makes"} a new secret here and {changes ? "paste" : "pastes"} it
              into LiveSupporti.
            </Note>
          )}
        </>
      )}
      {desk.previous_secret_until !== undefined && (
        <p className={classes.hint}>
          The secret before it is valid until {moment(new Date(desk.previous_secret_until))}.
        </p>
      )}
      {!changes && !desk.secret_set && <p className={classes.stored}>No secret yet.</p>}
      {changes &&
        (open ? (
          <Rotate first={!desk.secret_set} rotate={rotate} cancel={() => setOpen(false)} />
        ) : (
          <div className={classes.actions}>
            {!desk.secret_set && secret === undefined && (
              <Button variant="default" loading={rotate.isPending} onClick={() => rotate.mutate({})}>
                Make a secret
              </Button>
            )}
            <Button
              variant={desk.secret_set ? "default" : "subtle"}
              size={desk.secret_set ? "compact-md" : undefined}
              onClick={() => setOpen(true)}
            >
              {desk.secret_set || secret !== undefined ? "Change the secret" : "Use your own"}
            </Button>
          </div>
        ))}
      {rotate.error !== null && !open && (
        <ProblemNote problem={asProblem(rotate.error)} title="There is no new secret" />
      )}
    </div>
  );
}

interface RotateProps {
  first: boolean;
  rotate: { mutate: (body: Schemas["SecretRotation"]) => void; error: Error | null; isPending: boolean };
  cancel: () => void;
}

function Rotate({ first, rotate, cancel }: RotateProps) {
  const [own, setOwn] = useState("");
  const [hours, setHours] = useState("24");
  const problem = rotate.error && asProblem(rotate.error);
  const { byField, rest } = fieldProblems(problem, ["secret"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rotate.mutate({ ...(own !== "" && { secret: own }), ...(!first && { keep_previous_hours: Number(hours) }) });
  };
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <TextInput
        label="Your own secret"
        description="32 to 64 characters, no spaces. Leave it empty and a strong one is made."
        autoComplete="off"
        spellCheck={false}
        maxLength={64}
        value={own}
        error={
          byField.secret ?? (own !== "" && own.length < 32 ? `${own.length} of at least 32 characters` : undefined)
        }
        onChange={(e) => setOwn(e.currentTarget.value)}
      />
      {!first && (
        <Select label="The secret in use" data={keepChoices} value={hours} onChange={(v) => setHours(v ?? "24")} />
      )}
      {problem !== null && (rest.length > 0 || Object.keys(byField).length === 0) && (
        <ProblemNote problem={problem} title="There is no new secret" fields={rest} />
      )}
      <div className={classes.actions}>
        <Button type="submit" variant="default" loading={rotate.isPending} disabled={own !== "" && own.length < 32}>
          {own === "" ? "Make a new secret" : "Use this secret"}
        </Button>
        <Button variant="subtle" onClick={cancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
