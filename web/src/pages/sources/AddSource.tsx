// Choosing what kind of source to connect.
import { IconArrowRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { allowed } from "../../api/may";
import { connectors } from "../../api/queries";
import { KindIcon } from "../../parts/KindIcon";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import classes from "./AddSource.module.css";

export function AddSource() {
  const query = useQuery(connectors());
  return (
    <Page
      title="What knows your customers?"
      tab="Connect a source"
      lead="Start with one; more can follow. All of them fill the same card."
      back={{ to: "/sources", label: "Sources" }}
    >
      {!allowed("createConnection") ? (
        <OnlyFor action="createConnection" what="New sources" />
      ) : (
        <Loaded query={query} what="The kinds of source" rows={3}>
          {(list) => (
            <ul className={classes.tiles}>
              {list.map((kind) => (
                <li key={kind.kind}>
                  <Link
                    to={kind.imports ? "/csv" : "/sources/add/$kind"}
                    params={{ kind: kind.kind }}
                    className={classes.tile}
                  >
                    <KindIcon kind={kind.kind} size={26} />
                    <span className={classes.name}>{kind.name}</span>
                    <span className={classes.summary}>{kind.summary}</span>
                    <span className={classes.go}>
                      {kind.imports ? "Upload a file" : "Connect"}
                      <IconArrowRight size={16} stroke={1.75} aria-hidden="true" />
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      )}
    </Page>
  );
}
