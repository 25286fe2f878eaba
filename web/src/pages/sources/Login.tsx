// The login at the vendor that a source works with: as whom, what it may read, and how to renew or end it.
import { Button, Modal } from "@mantine/core";
import { IconLogin2 } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem } from "../../api/problem";
import { connections, type Connection, type Connector } from "../../api/queries";
import { Note, ProblemNote } from "../../parts/Note";
import { Section } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { plural } from "../../parts/text";
import { useBeginLogin } from "./useBeginLogin";
import classes from "./Login.module.css";

export function Login({ source, connector }: { source: Connection; connector: Connector }) {
  const [ending, setEnding] = useState(false);
  if (source.login === undefined) return null;
  const { state } = source.login;
  if (state === "needs_reconnect") return <Ended source={source} connector={connector} />;
  return (
    <div className={classes.login}>
      <Section title="Login" rule>
        {state === "connected" ? (
          <Connected source={source} connector={connector} disconnect={() => setEnding(true)} />
        ) : (
          <NotYet source={source} connector={connector} />
        )}
      </Section>
      <Disconnect source={source} connector={connector} opened={ending} close={() => setEnding(false)} />
    </div>
  );
}

interface Props {
  source: Connection;
  connector: Connector;
}

function Connected({ source, connector, disconnect }: Props & { disconnect: () => void }) {
  const login = source.login;
  return (
    <div className={classes.row}>
      <div className={classes.who}>
        <p>
          Connected as <strong>{login?.account || `an account at ${connector.name}`}</strong>
          {login?.connected_at && (
            <span className="sc-dim">
              {" "}
              since <Time at={login.connected_at} />
            </span>
          )}
        </p>
        {login !== undefined && login.scopes.length > 0 && (
          <details className={classes.scopes}>
            <summary>May read: {plural(login.scopes.length, "permission")}</summary>
            <ul>
              {login.scopes.map((scope) => (
                <li key={scope}>
                  <code>{scope}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
      {allowed("beginLogin") && (
        <div className={classes.deeds}>
          <ConnectButton source={source} connector={connector} label="Reconnect" quiet />
          <Button variant="subtle" color="vermilion" onClick={disconnect}>
            Disconnect
          </Button>
        </div>
      )}
    </div>
  );
}

function Ended({ source, connector }: Props) {
  return (
    <div className={classes.login}>
      <Note
        tone="bad"
        title={`${connector.name} has ended the login${source.login?.account ? ` of ${source.login.account}` : ""}`}
        actions={
          connector.oauth?.available &&
          allowed("beginLogin") && <ConnectButton source={source} connector={connector} label="Reconnect" bad />
        }
      >
        {source.on_card && "Cards go out without its lines. "}
        {connector.oauth?.available
          ? allowed("beginLogin")
            ? "Reconnect to fix it: the card stays as it is."
            : "An admin or an owner reconnects it; the card stays as it is."
          : "The operator of this Sidecard has to set up the login again first."}
      </Note>
    </div>
  );
}

function NotYet({ source, connector }: Props) {
  if (!connector.oauth?.available) return <NotSetUp connector={connector} saved />;
  if (!allowed("beginLogin"))
    return <p className={classes.who}>Not connected yet. An admin or an owner connects it.</p>;
  return (
    <div className={classes.row}>
      <p className={classes.who}>Not connected yet. You choose the account at {connector.name}, and come back here.</p>
      <ConnectButton source={source} connector={connector} label={`Connect with ${connector.name}`} />
    </div>
  );
}

/** Says that the button is not there, whose turn it is, and what works without. */
export function NotSetUp({ connector, saved, other }: { connector: Connector; saved?: boolean; other?: string }) {
  return (
    <Note tone="none" title={`Connecting with a login at ${connector.name} is not set up here`}>
      The operator of this Sidecard has to register it with {connector.name} first.{" "}
      {saved
        ? "Until then, choose another sign-in under “Change name and settings”."
        : other && `Until then, connect with this: ${other}. The guide says where to get it.`}
    </Note>
  );
}

interface ConnectButtonProps extends Props {
  label: string;
  quiet?: boolean;
  bad?: boolean;
}

function ConnectButton({ source, label, quiet, bad }: ConnectButtonProps) {
  const login = useBeginLogin(() => source.id);
  return (
    <>
      <Button
        variant={quiet ? "default" : undefined}
        color={bad ? "vermilion" : undefined}
        size={bad ? "compact-md" : undefined}
        loading={login.busy}
        onClick={login.leave}
        leftSection={quiet || bad ? undefined : <IconLogin2 size={16} stroke={1.75} aria-hidden="true" />}
      >
        {label}
      </Button>
      {login.problem !== null && <ProblemNote problem={login.problem} title="The login could not begin" />}
    </>
  );
}

function Disconnect({ source, connector, opened, close }: Props & { opened: boolean; close: () => void }) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () =>
      data(api.DELETE("/api/v1/connections/{connection_id}/login", { params: { path: { connection_id: source.id } } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: connections().queryKey });
      close();
    },
  });
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={`Disconnect ${source.name}?`}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <p>
        Sidecard forgets the login and tells {connector.name} to end it.
        {source.on_card ? " Cards go out without its lines until you connect again." : ""} The source and its settings
        stay.
      </p>
      {end.error !== null && (
        <div className={classes.problem}>
          <ProblemNote problem={asProblem(end.error)} title="Still connected" />
        </div>
      )}
      <div className={classes.end}>
        <Button variant="default" onClick={close}>
          Stay connected
        </Button>
        <Button color="vermilion" loading={end.isPending} onClick={() => end.mutate()}>
          Disconnect
        </Button>
      </div>
    </Modal>
  );
}
