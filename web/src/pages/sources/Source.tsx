// One source: is it working, what does it know of a visitor, which fields, and its settings.
import { Button, Menu } from "@mantine/core";
import { IconDots, IconRefresh, IconTrash, IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, data, type Schemas } from "../../api/client";
import { asProblem } from "../../api/problem";
import {
  connection as connectionQuery,
  connections,
  connectors,
  fields,
  type Connection,
  type Connector,
  type Field,
} from "../../api/queries";
import { CheckSteps } from "../../parts/CheckSteps";
import { DataTable, Dash, type Column } from "../../parts/DataTable";
import { Note, ProblemNote } from "../../parts/Note";
import { Page, Section } from "../../parts/Page";
import { Failed, Loaded, Loading } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { plural } from "../../parts/text";
import { TryEmail } from "../../parts/TryEmail";
import { Guide } from "./ConnectSource";
import { DeleteSource } from "./DeleteSource";
import { place } from "./describe";
import { SettingsForm } from "./SettingsForm";

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
  const check = useCheck(source, connector.imports);
  return (
    <Page
      title={source.name}
      back={back}
      lead={
        <>
          <Status name={source.status} /> · {connector.name} · {place(source)}
        </>
      }
      actions={
        <>
          {connector.imports ? (
            <Button
              component={Link}
              to={`/csv/${source.id}`}
              leftSection={<IconUpload size={16} stroke={1.75} aria-hidden="true" />}
            >
              Upload a file
            </Button>
          ) : (
            <Button
              loading={check.isPending}
              onClick={() => check.mutate()}
              leftSection={<IconRefresh size={16} stroke={1.75} aria-hidden="true" />}
            >
              Check now
            </Button>
          )}
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
                onClick={() => setDeleting(true)}
              >
                Remove this source
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </>
      }
      dock={
        <>
          <TryEmail connectionId={source.id} known={useFieldLabels(source.id)} />
          {connector.guide !== "" && (
            <div style={{ marginTop: 32 }}>
              <Guide connector={connector} />
            </div>
          )}
        </>
      }
    >
      <Check source={source} check={check} />
      <Section title="Fields" aside="what a card can show">
        <Fields source={source} />
      </Section>
      <Section title="Settings" rule>
        <div style={{ paddingTop: 16 }}>
          <Settings source={source} connector={connector} onSaved={() => check.mutate()} />
        </div>
      </Section>
      <DeleteSource source={source} opened={deleting} close={() => setDeleting(false)} />
    </Page>
  );
}

function hasSettings(connector: Connector): boolean {
  return Object.keys((connector.settings_schema.properties as object | undefined) ?? {}).length > 0;
}

type CheckRun = UseMutationResult<Schemas["CheckReport"], Error, void>;

// A new source is checked at once, without being asked.
function useCheck(source: Connection, imports: boolean): CheckRun {
  const queries = useQueryClient();
  const check = useMutation({
    mutationFn: () =>
      data(api.POST("/api/v1/connections/{connection_id}/check", { params: { path: { connection_id: source.id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: connections().queryKey }),
  });
  const started = useRef(false);
  const fresh = !imports && source.status === "new" && source.last_check === undefined;
  useEffect(() => {
    if (!fresh || started.current) return;
    started.current = true;
    check.mutate();
  }, [fresh, check]);
  return check;
}

function Check({ source, check }: { source: Connection; check: CheckRun }) {
  const report = check.data ?? source.last_check;
  return (
    <Section title="Check" aside={report && !check.isPending && <Time at={report.at} />} rule>
      {check.isPending && <Loading what="the check" rows={4} />}
      {check.error !== null && !check.isPending && (
        <ProblemNote problem={asProblem(check.error)} title="The check did not run" />
      )}
      {!check.isPending && report !== undefined && <CheckSteps report={report} />}
      {!check.isPending && report === undefined && check.error === null && (
        <p className="sc-dim" style={{ padding: "10px 0" }}>
          {source.last_import ? `${plural(source.last_import.rows, "row")} answer.` : "Never checked."}{" "}
          <Button variant="subtle" size="compact-md" onClick={() => check.mutate()}>
            Check now
          </Button>
        </p>
      )}
    </Section>
  );
}

const fieldColumns: Column<Field>[] = [
  { key: "label", head: "Field", cell: (f) => f.label },
  { key: "id", head: "Name there", cell: (f) => <code className="sc-mono">{f.id}</code> },
  { key: "kind", head: "Kind", cell: (f) => f.kind },
  { key: "sample", head: "For example", cell: (f) => f.sample || <Dash spoken="no example" /> },
];

function Fields({ source }: { source: Connection }) {
  const query = useQuery(fields(source.id));
  if (query.error !== null && source.status === "failing")
    return <p className="sc-dim">They come once the check passes.</p>;
  return (
    <Loaded query={query} what="Fields" rows={4}>
      {(list) =>
        list.length === 0 ? (
          <p className="sc-dim">None yet. They come with the first file, or once the check passes.</p>
        ) : (
          <DataTable
            caption="Fields of this source"
            columns={fieldColumns.filter((c) => c.key !== "sample" || list.some((f) => f.sample))}
            rows={list}
            rowKey={(f) => f.id}
            narrow={(f) => ({ first: [f.label, f.kind], second: [f.sample, <code key="id">{f.id}</code>] })}
          />
        )
      }
    </Loaded>
  );
}

function useFieldLabels(connectionId: string): ReadonlyMap<string, string> {
  const { data } = useQuery(fields(connectionId));
  return new Map(data?.map((f) => [f.id, f.label]));
}

// Open at once only where they need somebody.
function Settings({ source, connector, onSaved }: { source: Connection; connector: Connector; onSaved: () => void }) {
  const [asked, setAsked] = useState(false);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (body: { name: string; settings: Record<string, unknown> }) =>
      data(api.PATCH("/api/v1/connections/{connection_id}", { params: { path: { connection_id: source.id } }, body })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: connections().queryKey });
      if (!connector.imports) onSaved();
    },
  });
  if (!asked && source.status !== "failing") {
    return (
      <Button variant="default" onClick={() => setAsked(true)}>
        {hasSettings(connector) ? "Change name and settings" : "Rename"}
      </Button>
    );
  }
  return (
    <SettingsForm
      key={source.updated_at}
      connector={connector}
      connection={source}
      problem={save.error && asProblem(save.error)}
      busy={save.isPending}
      submitLabel="Save"
      onSubmit={(name, settings) => save.mutate({ name, settings })}
      beside={save.isSuccess && <Note tone="good" title="Saved" live />}
    />
  );
}
