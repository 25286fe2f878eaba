// The sources: rows, broken ones first and open, with cause and fix.
import { Button } from "@mantine/core";
import { IconChevronRight, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { allowed } from "../../api/may";
import { connections, connectors, type Connection, type Connector } from "../../api/queries";
import { PlugDrawing } from "../../parts/Drawings";
import { KindIcon } from "../../parts/KindIcon";
import { Note } from "../../parts/Note";
import { Page } from "../../parts/Page";
import { Empty, Loaded } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { count } from "../../parts/text";
import { brokenFirst, place, sourceStatus, statusWord, waitsForFile } from "./describe";
import classes from "./Sources.module.css";

export function Sources() {
  const query = useQuery(connections());
  const kinds = useQuery(connectors());
  return (
    <Page
      title="Sources"
      lead="Where Sidecard looks a visitor up. All are asked at once; the slowest one sets the pace."
      actions={
        allowed("createConnection") &&
        query.data?.length !== 0 && (
          <Button
            component={Link}
            to="/sources/add"
            leftSection={<IconPlus size={16} stroke={1.75} aria-hidden="true" />}
          >
            Connect a source
          </Button>
        )
      }
    >
      <Loaded query={query} what="Sources" rows={4}>
        {(list) =>
          list.length === 0 ? (
            <Empty
              drawing={<PlugDrawing />}
              title="Nothing is connected yet"
              actions={
                allowed("createConnection") && (
                  <Button component={Link} to="/sources/add">
                    Connect a source
                  </Button>
                )
              }
            >
              The systems that know your customers appear here, with how each of them is doing.
              {!allowed("createConnection") && " An admin or an owner connects them."}
            </Empty>
          ) : (
            <ul className={classes.list}>
              {brokenFirst(list).map((source) => (
                <Row key={source.id} source={source} connector={kinds.data?.find((k) => k.kind === source.kind)} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}

function Row({ source, connector }: { source: Connection; connector: Connector | undefined }) {
  return (
    <li>
      <div className={classes.row}>
        <div className={classes.what}>
          <h2 className={classes.name}>
            <KindIcon kind={source.kind} />
            <Link to="/sources/$connectionId" params={{ connectionId: source.id }} className={classes.link}>
              {source.name}
            </Link>
            <span className={classes.status}>
              <Status name={sourceStatus(source)} word={statusWord(source, connector)} />
            </span>
          </h2>
          <p className={classes.place}>{place(source) || connector?.name}</p>
        </div>
        <dl className={classes.figures}>
          {source.last_import && (
            <Figure name="Rows">{count(source.last_import.rows - source.last_import.repeated)}</Figure>
          )}
          <Figure name={connector?.imports ? "Uploaded" : "Checked"}>
            {source.last_import ? (
              <Time at={source.last_import.at} />
            ) : source.last_check ? (
              <Time at={source.last_check.at} />
            ) : (
              "never"
            )}
          </Figure>
          <Figure name="On the card">{source.on_card ? "yes" : "no"}</Figure>
        </dl>
        <IconChevronRight className={classes.chevron} size={18} stroke={1.75} aria-hidden="true" />
      </div>
      <Needs source={source} connector={connector} />
    </li>
  );
}

// What somebody has to do about a source, with the button that leads there.
function Needs({ source, connector }: { source: Connection; connector: Connector | undefined }) {
  const failing = source.last_check?.steps.find((s) => s.state === "fail");
  const lost = source.on_card && " Until then, cards go out without its lines; your card stays as it is.";
  if (waitsForFile(source, connector)) {
    return (
      <div className={classes.note}>
        <Note
          tone="none"
          title="No rows are in this list yet"
          actions={
            allowed("importFile") && (
              <Button component={Link} to={`/csv/${source.id}`} size="compact-md" variant="default">
                {`Upload a file for ${source.name}`}
              </Button>
            )
          }
        />
      </div>
    );
  }
  if (source.login?.state === "needs_reconnect") {
    return (
      <div className={classes.note}>
        <Note
          tone="bad"
          title={`${connector?.name ?? "The other side"} has ended the login`}
          actions={
            allowed("beginLogin") && (
              <Button component={Link} to={`/sources/${source.id}`} size="compact-md" color="vermilion">
                {`Reconnect ${source.name}`}
              </Button>
            )
          }
        >
          {allowed("beginLogin")
            ? "Connect again with the same account."
            : "An admin or an owner connects it again, with the same account."}
          {lost}
        </Note>
      </div>
    );
  }
  if (failing === undefined) return null;
  return (
    <div className={classes.note}>
      <Note
        tone="bad"
        title={`${failing.name}: ${failing.detail}`}
        actions={
          allowed("updateConnection") && (
            <Button component={Link} to={`/sources/${source.id}`} size="compact-md" color="vermilion">
              {`Fix ${source.name}`}
            </Button>
          )
        }
      >
        {failing.advice}
        {lost}
      </Note>
    </div>
  );
}

function Figure({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
