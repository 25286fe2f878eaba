// Connecting a source: the form, and beside it what to do on the other side.
import { Button } from "@mantine/core";
import { IconArrowLeft, IconChevronRight } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem, readProblem } from "../../api/problem";
import { connections, connectors, type Connector } from "../../api/queries";
import { Markdown } from "../../parts/Markdown";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page } from "../../parts/Page";
import { Failed, Loading } from "../../parts/States";
import { NotSetUp } from "./Login";
import { otherWays } from "./oauth";
import { OAuthStart } from "./OAuthStart";
import { SettingsForm } from "./SettingsForm";
import { useSettingsForm } from "./useSettingsForm";
import classes from "./ConnectSource.module.css";

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
  return (
    <Page
      title={`Connect ${connector.name}`}
      lead={connector.summary}
      back={back}
      dock={connector.guide !== "" && <Guide connector={connector} />}
    >
      {!allowed("createConnection") ? (
        <OnlyFor action="createConnection" what="New sources" />
      ) : connector.oauth ? (
        <WithLogin connector={connector} />
      ) : (
        <BySettings connector={connector} />
      )}
    </Page>
  );
}

// The button first; what else there is stays folded. Without the button, the rest is all there is.
function WithLogin({ connector }: { connector: Connector }) {
  const [other, setOther] = useState(false);
  const ways = otherWays(connector);
  if (!connector.oauth?.available) {
    return (
      <>
        <div className={classes.notice}>
          <NotSetUp connector={connector} other={ways[0]} />
        </div>
        {ways.length > 0 && <BySettings connector={connector} />}
      </>
    );
  }
  return (
    <>
      {!other && <OAuthStart connector={connector} />}
      {ways.length > 0 && (
        <button type="button" className={classes.other} data-open={other || undefined} onClick={() => setOther(!other)}>
          {other ? (
            <IconArrowLeft size={17} stroke={1.75} aria-hidden="true" />
          ) : (
            <IconChevronRight size={17} stroke={1.75} aria-hidden="true" />
          )}
          {other ? `Connect with the login at ${connector.name}` : "Connect in another way"}
        </button>
      )}
      {other && <BySettings connector={connector} />}
    </>
  );
}

function BySettings({ connector }: { connector: Connector }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const form = useSettingsForm(connector);
  const create = useMutation({
    mutationFn: (body: { name: string; settings: Record<string, unknown> }) =>
      data(api.POST("/api/v1/connections", { body: { kind: connector.kind, ...body } })),
    onSuccess: async (created) => {
      await queries.invalidateQueries({ queryKey: connections().queryKey });
      await navigate({ to: "/sources/$connectionId", params: { connectionId: created.id } });
    },
  });
  return (
    <SettingsForm
      form={form}
      problem={create.error && asProblem(create.error)}
      busy={create.isPending}
      submitLabel="Connect and check"
      onSubmit={create.mutate}
      beside={
        <Button component={Link} to="/sources" variant="subtle">
          Cancel
        </Button>
      }
    />
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
