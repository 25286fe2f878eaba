// API tokens: what programs sign in with. Each is shown once, when it is made, and can be revoked at any time.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { DataTable, type Column } from "../../parts/DataTable";
import { PlugDrawing } from "../../parts/Drawings";
import { Page } from "../../parts/Page";
import { Empty, Loaded } from "../../parts/States";
import { Time } from "../../parts/Time";
import { tokens, type Scope, type Token } from "./access";
import { Admins } from "./Admins";
import { CreateToken } from "./CreateToken";
import { leftText, running } from "./expiry";
import { RevokeToken } from "./RevokeToken";
import { inOrder, meanings } from "./scopes";
import classes from "./access.module.css";

const title = "API tokens";

export function Tokens() {
  return (
    <Admins title={title} what="API tokens are">
      <List />
    </Admins>
  );
}

function List() {
  const query = useQuery(tokens());
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  const make = <Button onClick={() => setMaking(true)}>New token</Button>;
  return (
    <Page
      title={title}
      lead={
        <>
          Programs of your own use Sidecard with one. The <a href="/docs">API</a> says what they can do.
        </>
      }
      actions={query.data !== undefined && query.data.length > 0 && make}
    >
      <Loaded query={query} what="API tokens" rows={3}>
        {(list) =>
          list.length === 0 ? (
            <Empty drawing={<PlugDrawing />} title="No tokens yet" actions={make}>
              Make one for each program, so that you can revoke it alone.
            </Empty>
          ) : (
            <TokenTable list={list} revoke={setRevoking} />
          )
        }
      </Loaded>
      <CreateToken opened={making} close={() => setMaking(false)} />
      <RevokeToken token={revoking} close={() => setRevoking(undefined)} />
    </Page>
  );
}

function TokenTable({ list, revoke }: { list: readonly Token[]; revoke: (token: Token) => void }) {
  const button = (t: Token) => (
    <Button
      variant="subtle"
      color="vermilion"
      size="compact-md"
      aria-label={`Revoke ${t.name}`}
      onClick={() => revoke(t)}
    >
      Revoke
    </Button>
  );
  const columns: Column<Token>[] = [
    { key: "name", head: "Name", cell: (t) => <Name token={t} /> },
    { key: "scopes", head: "May", cell: (t) => <Scopes scopes={t.scopes} /> },
    { key: "role", head: "Role", cell: (t) => t.role, width: "84px" },
    { key: "used", head: "Last used", cell: (t) => <Used token={t} />, width: "124px" },
    { key: "ends", head: "Expires", cell: (t) => <Ends token={t} />, width: "150px" },
    { key: "revoke", head: <span className="sc-sr">Revoke</span>, cell: button, align: "right", width: "96px" },
  ];
  return (
    <DataTable
      caption="API tokens, newest first"
      columns={columns}
      rows={list}
      rowKey={(t) => t.id}
      narrow={(t) => ({
        first: [<Name key="n" token={t} />, button(t)],
        second: [<Scopes key="s" scopes={t.scopes} />, <Ends key="e" token={t} />],
      })}
    />
  );
}

function Name({ token }: { token: Token }) {
  return (
    <div>
      <div className={classes.name}>{token.name}</div>
      <div className={classes.below}>
        by {token.created_by}, <Time at={token.created_at} />
      </div>
    </div>
  );
}

function Scopes({ scopes }: { scopes: readonly Scope[] }) {
  return (
    <ul className={classes.scopes} aria-label="Scopes">
      {inOrder(scopes).map((scope) => (
        <li key={scope} title={meanings[scope]}>
          <code>{scope}</code>
        </li>
      ))}
    </ul>
  );
}

function Used({ token }: { token: Token }) {
  return token.last_used_at === undefined ? <span className="sc-dim">Never</span> : <Time at={token.last_used_at} />;
}

function Ends({ token }: { token: Token }) {
  const left = leftText(new Date(token.expires_at));
  return (
    <div className={classes.ends}>
      {running(token) ? <Time at={token.expires_at} /> : <span className={classes.over}>Expired</span>}
      <div className={left.soon ? `${classes.below} ${classes.soon}` : classes.below}>{left.text}</div>
    </div>
  );
}
