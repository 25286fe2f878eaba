// Connecting a source: the form, and beside it what to do on the other side.
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { api, data } from "../../api/client";
import { asProblem, readProblem } from "../../api/problem";
import { connections, connectors, type Connector } from "../../api/queries";
import { Markdown } from "../../parts/Markdown";
import { Page } from "../../parts/Page";
import { Failed, Loading } from "../../parts/States";
import { SettingsForm } from "./SettingsForm";

const back = { to: "/sources/add", label: "Connect a source" };

export function ConnectSource() {
  const { kind } = useParams({ from: "/inside/sources/add/$kind" });
  const query = useQuery(connectors());
  const connector = query.data?.find((c) => c.kind === kind);
  if (connector !== undefined) return <Form connector={connector} />;
  return (
    <Page title="Connect a source" back={back}>
      {query.isPending ? (
        <Loading what="the form" />
      ) : (
        <Failed
          what="The form"
          error={
            query.error ??
            readProblem(404, {
              status: 404,
              code: "not_found",
              detail: `Sidecard knows no kind of source called “${kind}”.`,
            })
          }
        />
      )}
    </Page>
  );
}

function Form({ connector }: { connector: Connector }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: (body: { name: string; settings: Record<string, unknown> }) =>
      data(api.POST("/api/v1/connections", { body: { kind: connector.kind, ...body } })),
    onSuccess: async (created) => {
      await queries.invalidateQueries({ queryKey: connections().queryKey });
      await navigate({ to: "/sources/$connectionId", params: { connectionId: created.id } });
    },
  });
  return (
    <Page
      title={`Connect ${connector.name}`}
      lead={connector.summary}
      back={back}
      dock={connector.guide !== "" && <Guide connector={connector} />}
    >
      <SettingsForm
        connector={connector}
        problem={create.error && asProblem(create.error)}
        busy={create.isPending}
        submitLabel="Connect and check"
        onSubmit={(name, settings) => create.mutate({ name, settings })}
        beside={
          <Button component={Link} to="/sources" variant="subtle">
            Cancel
          </Button>
        }
      />
    </Page>
  );
}

// The guide's own title says what the page says already.
export function Guide({ connector }: { connector: Connector }) {
  return (
    <section aria-label="Guide">
      <h2 style={{ marginBottom: 12 }}>Guide</h2>
      <Markdown text={connector.guide.replace(/^# .*\n+/, "")} />
    </section>
  );
}
