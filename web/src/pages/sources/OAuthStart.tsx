// The first thing of a kind that has a login: a name, and one click to the vendor's page.
import { Button, TextInput } from "@mantine/core";
import { IconLogin2 } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent } from "react";
import { api, data } from "../../api/client";
import { fieldProblems } from "../../api/problem";
import { connections, type Connector } from "../../api/queries";
import { ProblemNote } from "../../parts/Note";
import { oauthSettings } from "./oauth";
import { useBeginLogin } from "./useBeginLogin";
import classes from "./OAuthStart.module.css";

export function OAuthStart({ connector }: { connector: Connector }) {
  const queries = useQueryClient();
  const [name, setName] = useState(connector.name);
  const made = useRef<string>(undefined); // when the login could not begin, the next try takes the same source
  const login = useBeginLogin(async () => {
    made.current ??= await create(connector, name.trim());
    void queries.invalidateQueries({ queryKey: connections().queryKey });
    return made.current;
  });
  const { byField, rest } = fieldProblems(login.problem, ["name"], "");
  const go = (event: FormEvent) => {
    event.preventDefault();
    login.leave();
  };
  return (
    <form onSubmit={go} className={classes.start} noValidate>
      {login.problem !== null && byField.name === undefined && (
        <ProblemNote problem={login.problem} title="The login could not begin" fields={rest} />
      )}
      <TextInput
        label="Name"
        description="How you and your colleagues call it."
        value={name}
        maxLength={60}
        error={byField.name}
        onChange={(e) => setName(e.currentTarget.value)}
        required
      />
      <div>
        <Button
          type="submit"
          size="md"
          loading={login.busy}
          disabled={name.trim() === ""}
          leftSection={<IconLogin2 size={18} stroke={1.75} aria-hidden="true" />}
        >
          Connect with {connector.name}
        </Button>
        <p className={classes.then}>
          You choose the account at {connector.name}, allow it to be read, and come back here.
        </p>
      </div>
    </form>
  );
}

async function create(connector: Connector, name: string): Promise<string> {
  const body = { kind: connector.kind, name, settings: oauthSettings(connector) };
  return (await data(api.POST("/api/v1/connections", { body }))).id;
}
