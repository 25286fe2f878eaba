// Making a token: a name, what it may do, how long. Then the token itself, which is never shown again.
import { Button, Checkbox, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent } from "react";
import { api, data, type Schemas } from "../../api/client";
import { asProblem, fieldProblems } from "../../api/problem";
import { baseUrl } from "../../api/session";
import { CopyField } from "../../parts/CopyField";
import { Note, ProblemNote } from "../../parts/Note";
import { Script } from "../../parts/Script";
import { moment } from "../../parts/text";
import { everyAudit, tokens, type NewToken, type Scope } from "./access";
import { endsText, fewestDays, mostDays, readDays, usualDays } from "./expiry";
import { curlLine, groups, inOrder, meanings } from "./scopes";
import classes from "./access.module.css";

type Stage = "form" | "sending" | "made";

export function CreateToken({ opened, close }: { opened: boolean; close: () => void }) {
  const [stage, setStage] = useState<Stage>("form");
  return (
    <Modal
      opened={opened}
      onClose={() => stage !== "sending" && close()}
      title={stage === "made" ? "Copy the token now" : "New token"}
      size={720}
      centered
      closeOnClickOutside={false} // a slip would lose what was typed, or the token
      closeOnEscape={stage !== "made"}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Steps setStage={setStage} close={close} />
    </Modal>
  );
}

// The token lives in here: it is gone with the dialog.
function Steps({ setStage, close }: { setStage: (stage: Stage) => void; close: () => void }) {
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (body: Schemas["TokenCreate"]) => data(api.POST("/api/v1/tokens", { body })),
    onMutate: () => setStage("sending"),
    onError: () => setStage("form"),
    onSuccess: () => {
      setStage("made");
      void queries.invalidateQueries(everyAudit);
      void queries.invalidateQueries({ queryKey: tokens().queryKey });
    },
    gcTime: 0,
  });
  useEffect(() => () => setStage("form"), [setStage]);
  if (create.data !== undefined) return <Made made={create.data} done={close} />;
  return <Form create={create} cancel={close} />;
}

interface FormProps {
  create: { mutate: (body: Schemas["TokenCreate"]) => void; error: Error | null; isPending: boolean };
  cancel: () => void;
}

function Form({ create, cancel }: FormProps) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>([]);
  const [days, setDays] = useState(String(usualDays));
  const [tried, setTried] = useState(false);
  const problem = create.error && asProblem(create.error);
  const { byField, rest } = fieldProblems(problem, ["name", "scopes", "expires_in_days"]);
  const ends = readDays(days);
  const wrong = {
    name: name.trim() === "" ? "Give the token a name, such as what will use it." : undefined,
    scopes: scopes.length === 0 ? "Choose at least one thing that it may do." : undefined,
    days: ends === undefined ? `A whole number of days, ${fewestDays} to ${mostDays}.` : undefined,
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTried(true);
    const first = (["name", "scopes", "days"] as const).find((field) => wrong[field] !== undefined);
    if (first !== undefined) {
      event.currentTarget.querySelector<HTMLInputElement>(`input[name="${first}"]`)?.focus();
      return;
    }
    create.mutate({ name: name.trim(), scopes: inOrder(scopes), expires_in_days: ends });
  };
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      {problem !== null && (rest.length > 0 || Object.keys(byField).length === 0) && (
        <ProblemNote problem={problem} title="There is no new token" fields={rest} />
      )}
      <TextInput
        label="Name"
        description="What will use it, such as “CRM export, nightly”."
        data-autofocus
        name="name"
        required
        maxLength={100}
        autoComplete="off"
        value={name}
        error={(tried && wrong.name) || byField.name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      <Checkbox.Group
        label="What it may do"
        description="Take only what it needs. Changing does not include reading."
        value={scopes}
        error={(tried && wrong.scopes) || byField.scopes}
        onChange={(chosen) => setScopes(chosen as Scope[])}
      >
        <div className={classes.groups}>
          {groups.map((group) => (
            <fieldset key={group.title} className={classes.group}>
              <legend>{group.title}</legend>
              <div className={classes.choices}>
                {group.scopes.map((scope) => (
                  <Checkbox
                    key={scope}
                    name="scopes"
                    value={scope}
                    size="xs"
                    label={<code className="sc-mono">{scope}</code>}
                    description={meanings[scope]}
                  />
                ))}
              </div>
            </fieldset>
          ))}
        </div>
      </Checkbox.Group>
      <TextInput
        label="Days until it expires"
        description={ends === undefined ? `${fewestDays} to ${mostDays}` : `It works until ${endsText(ends)}.`}
        className={classes.days}
        type="number"
        name="days"
        inputMode="numeric"
        min={fewestDays}
        max={mostDays}
        value={days}
        error={(tried && wrong.days) || byField.expires_in_days}
        onChange={(e) => setDays(e.currentTarget.value)}
      />
      <div className={classes.actions}>
        <Button variant="default" onClick={cancel} disabled={create.isPending}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending}>
          Make the token
        </Button>
      </div>
    </form>
  );
}

function Made({ made, done }: { made: NewToken; done: () => void }) {
  const line = curlLine(baseUrl(), made.details.scopes);
  return (
    <div className={classes.made}>
      <Note tone="warn" title="It is not shown again" live>
        Put it where “{made.details.name}” keeps its secrets. Whoever has it can do what it may.
      </Note>
      <CopyField
        label={`Token, good until ${moment(new Date(made.details.expires_at))}`}
        name="token"
        value={made.token}
      />
      {line !== undefined && (
        <div>
          <p className={classes.below}>
            To try it, put it into the variable <code>SIDECARD_TOKEN</code> of a shell, then:
          </p>
          <Script text={line} name="curl line" />
        </div>
      )}
      <div className={classes.actions}>
        <Button onClick={done}>I have copied it</Button>
      </div>
    </div>
  );
}
