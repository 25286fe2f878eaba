// The LiveSupporti login that details are sent with. The key is never shown again; saving tests it at once.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data, type Schemas } from "../../api/client";
import { asProblem, fieldProblems } from "../../api/problem";
import { desk as deskQuery, type Desk } from "../../api/queries";
import { Note, ProblemNote } from "../../parts/Note";
import { StatusShape } from "../../parts/Status";
import type { DeskTesting } from "./test";
import classes from "./Credentials.module.css";

export function Credentials({ desk, test }: { desk: Desk; test: DeskTesting }) {
  const queries = useQueryClient();
  const [email, setEmail] = useState(desk.email);
  const [key, setKey] = useState("");
  const save = useMutation({
    mutationFn: (body: Schemas["DeskUpdate"]) => data(api.PATCH("/api/v1/desk", { body })),
    onSuccess: (changed) => {
      setKey("");
      queries.setQueryData(deskQuery().queryKey, changed);
      test.forget();
      if (changed.api_key_set && changed.email !== "") test.run();
    },
  });
  const problem = save.error && asProblem(save.error);
  const { byField, rest } = fieldProblems(problem, ["email", "api_key"]);
  const changed = email.trim() !== desk.email || key !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!changed) return test.run();
    save.mutate({ ...(email.trim() !== desk.email && { email: email.trim() }), ...(key !== "" && { api_key: key }) });
  };
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <div className={classes.inputs}>
        <TextInput
          label="LiveSupporti sign-in e-mail"
          type="email"
          autoComplete="off"
          value={email}
          error={byField.email}
          onChange={(e) => setEmail(e.currentTarget.value)}
        />
        <PasswordInput
          label="API key, from your LiveSupporti profile"
          autoComplete="off"
          placeholder={desk.api_key_set ? `Saved, ends in ${desk.api_key_hint ?? "…"}` : ""}
          value={key}
          error={byField.api_key}
          onChange={(e) => setKey(e.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the API key" }}
        />
      </div>
      <div className={classes.actions}>
        <Button
          type="submit"
          loading={save.isPending || test.busy}
          disabled={changed ? email.trim() === "" || (key === "" && !desk.api_key_set) : !desk.api_key_set}
        >
          {changed || !desk.api_key_set ? "Save and test" : "Test credentials"}
        </Button>
        {test.result?.ok && !changed && !test.busy && (
          <span className={classes.result}>
            <StatusShape name="working" />
            {test.result.message}
          </span>
        )}
      </div>
      {problem !== null && (rest.length > 0 || Object.keys(byField).length === 0) && (
        <ProblemNote problem={problem} title="Not saved" fields={rest} />
      )}
      {test.error !== null && !test.busy && <ProblemNote problem={asProblem(test.error)} title="Not tested" />}
      {test.result !== undefined && !test.result.ok && !test.busy && (
        <Note tone="bad" title={test.result.message} live>
          {test.result.fix}
        </Note>
      )}
    </form>
  );
}
