// One source: is it working, what does it know of a visitor, which fields, and its settings.
import { Button, Menu } from "@mantine/core";
import { IconDots, IconRefresh, IconTrash, IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem, type ProblemError } from "../../api/problem";
import {
  connection as connectionQuery,
  connections,
  connectors,
  type Connection,
  type Connector,
} from "../../api/queries";
import { Note } from "../../parts/Note";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page, Section } from "../../parts/Page";
import { Failed, Loading } from "../../parts/States";
import { Status } from "../../parts/Status";
import { TryEmail } from "../../parts/TryEmail";
import { Check, useCheck, type CheckRun } from "./Check";
import { Guide } from "./ConnectSource";
import { DeleteSource } from "./DeleteSource";
import { place, sourceStatus, statusWord, waitsForLogin } from "./describe";
import { Fields, useFieldLabels } from "./Fields";
import { Login } from "./Login";
import { SettingsForm } from "./SettingsForm";
import { useSettingsForm, type SettingsState } from "./useSettingsForm";

const back = { to: "/sources", label: "Sources" };

export function Source() {
  const { connectionId } = useParams({ from: "/inside/sources/$connectionId" });
  const query = useQuery(connectionQuery(connectionId));
  const kinds = useQuery(connectors());
  const connector = kinds.data?.find((c) => c.kind === query.data?.kind);
  if (query.data !== undefined && connector !== undefined)
    return <Details key={connectionId} source={query.data} connector={connector} />;
  const error = query.error ?? kinds.error;
  return (
    <Page title={error ? "This source did not load" : "One moment"} tab="Source" back={back}>
      {error ? (
        <Failed what="The source" error={error} retry={() => void Promise.all([query.refetch(), kinds.refetch()])} />
      ) : (
        <Loading what="the source" />
      )}
    </Page>
  );
}

function Details({ source, connector }: { source: Connection; connector: Connector }) {
  const [deleting, setDeleting] = useState(false);
  const justConnected = useLocation({ select: (l) => l.state.check ?? false });
  const unchecked = source.status === "new" && source.last_check === undefined;
  const waiting = waitsForLogin(source);
  const changes = allowed("updateConnection");
  const checks = allowed("checkConnection");
  const tries = !waiting && allowed("lookUp");
  const guided = changes && connector.guide !== "";
  const check = useCheck(source, checks && !connector.imports && !waiting && (unchecked || justConnected));
  const form = useSettingsForm(connector, source);
  const [editing, setEditing] = useState(false);
  const save = useSave(source, (now) => {
    form.reset(now);
    if (!connector.imports && !waitsForLogin(now)) check.mutate();
  });
  return (
    <Page
      title={source.name}
      back={back}
      lead={
        <>
          <Status name={sourceStatus(source)} word={statusWord(source, connector)} /> · {connector.name}
          {place(source) !== "" && ` · ${place(source)}`}
        </>
      }
      actions={
        <Actions
          source={source}
          connector={connector}
          check={waiting || !checks ? null : check}
          remove={() => setDeleting(true)}
        />
      }
      dock={
        tries || guided ? (
          <>
            {tries && <Try source={source} />}
            {guided && <Guide connector={connector} />}
          </>
        ) : undefined
      }
    >
      <Login source={source} connector={connector} />
      {!(waiting && unchecked) && (
        <Check
          source={source}
          check={check}
          storing={save.isPending}
          take={
            changes
              ? (suggestion) => {
                  const body = form.ready(suggestion);
                  if (body === null) setEditing(true);
                  else save.mutate(body);
                }
              : undefined
          }
        />
      )}
      <Section title="Fields" aside="what a card can show">
        {!allowed("listFields") ? (
          <OnlyFor action="listFields" what="Fields and examples" />
        ) : waiting ? (
          <p className="sc-dim">They come once {connector.name} is connected.</p>
        ) : (
          <Fields source={source} />
        )}
      </Section>
      <Section title="Settings" rule>
        <div style={{ paddingTop: 16 }}>
          {changes ? (
            <Settings
              connector={connector}
              form={form}
              open={editing || save.error !== null || (source.status === "failing" && !waiting)}
              edit={() => {
                save.reset(); // what was saved before needs no word any more
                setEditing(true);
              }}
              save={save.mutate}
              busy={save.isPending}
              problem={save.error && asProblem(save.error)}
              saved={save.isSuccess}
            />
          ) : (
            <OnlyFor action="updateConnection" what="Name and settings" />
          )}
        </div>
      </Section>
      <DeleteSource source={source} opened={deleting} close={() => setDeleting(false)} />
    </Page>
  );
}

function Try({ source }: { source: Connection }) {
  return (
    <div style={{ marginBottom: 32 }}>
      <TryEmail connectionId={source.id} known={useFieldLabels(source.id)} />
    </div>
  );
}

interface Body {
  name: string;
  settings: Record<string, unknown>;
}

function useSave(source: Connection, saved: (now: Connection) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Body) =>
      data(api.PATCH("/api/v1/connections/{connection_id}", { params: { path: { connection_id: source.id } }, body })),
    onSuccess: async (now) => {
      await queries.invalidateQueries({ queryKey: connections().queryKey });
      saved(now);
    },
  });
}

interface ActionsProps {
  source: Connection;
  connector: Connector;
  /** None while there is no login to check with. */
  check: CheckRun | null;
  remove: () => void;
}

function Actions({ source, connector, check, remove }: ActionsProps) {
  return (
    <>
      {connector.imports
        ? allowed("importFile") && (
            <Button
              component={Link}
              to={`/csv/${source.id}`}
              leftSection={<IconUpload size={16} stroke={1.75} aria-hidden="true" />}
            >
              Upload a file
            </Button>
          )
        : check && (
            <Button
              loading={check.isPending}
              onClick={() => check.mutate()}
              leftSection={<IconRefresh size={16} stroke={1.75} aria-hidden="true" />}
            >
              Check now
            </Button>
          )}
      {allowed("deleteConnection") && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" px={9} aria-label="More">
              <IconDots size={18} stroke={1.75} aria-hidden="true" />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              color="vermilion"
              leftSection={<IconTrash size={16} stroke={1.75} aria-hidden="true" />}
              onClick={remove}
            >
              Remove this source
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}

interface SettingsProps {
  connector: Connector;
  form: SettingsState;
  /** Open at once only where they need somebody. */
  open: boolean;
  edit: () => void;
  save: (body: Body) => void;
  busy: boolean;
  problem: ProblemError | null;
  saved: boolean;
}

function Settings({ connector, form, open, edit, save, busy, problem, saved }: SettingsProps) {
  if (!open) {
    const hasSettings = Object.keys((connector.settings_schema.properties as object | undefined) ?? {}).length > 0;
    return (
      <Button variant="default" onClick={edit}>
        {hasSettings ? "Change name and settings" : "Rename"}
      </Button>
    );
  }
  return (
    <SettingsForm
      form={form}
      problem={problem}
      busy={busy}
      submitLabel="Save"
      onSubmit={save}
      beside={saved && <Note tone="good" title="Saved" live />}
    />
  );
}
