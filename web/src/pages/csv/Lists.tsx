// CSV data: every uploaded list, and the place to drop another.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, data } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem } from "../../api/problem";
import { connections, connectors, type Connection } from "../../api/queries";
import { DataTable, Dash, type Column } from "../../parts/DataTable";
import { FileDrawing } from "../../parts/Drawings";
import { ProblemNote } from "../../parts/Note";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page } from "../../parts/Page";
import { Empty, Loaded } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { count } from "../../parts/text";
import { DropZone } from "./DropZone";
import { send } from "./send";

const columns: Column<Connection>[] = [
  { key: "name", head: "List", cell: (c) => <strong>{c.name}</strong> },
  { key: "file", head: "File", cell: (c) => c.last_import?.filename ?? "Upload a file" },
  {
    key: "status",
    head: "Status",
    cell: (c) => <Status name={c.status} word={c.last_import ? inUse(c) : "No data yet"} />,
  },
  {
    key: "at",
    head: "Uploaded",
    cell: (c) => (c.last_import ? <Time at={c.last_import.at} /> : <Dash spoken="never" />),
  },
  { key: "rows", head: "Rows", cell: (c) => count(c.last_import?.rows ?? 0), align: "right" },
];

function inUse(list: Connection): string | undefined {
  return list.status === "working" ? "In use" : undefined;
}

export function Lists() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const all = useQuery(connections());
  const kinds = useQuery(connectors());
  const kind = kinds.data?.find((k) => k.imports)?.kind;
  const create = useMutation({
    mutationFn: async (file: File) => {
      const created = await data(
        api.POST("/api/v1/connections", { body: { kind: kind ?? "csv", name: listName(file.name), settings: {} } }),
      );
      void send(queries, created.id, file);
      return created;
    },
    onSuccess: async (created) => {
      await queries.invalidateQueries({ queryKey: connections().queryKey, exact: true });
      await navigate({ to: "/csv/$connectionId", params: { connectionId: created.id } });
    },
  });
  const zone = (title: string) =>
    !allowed("createConnection") ? (
      <OnlyFor action="createConnection" what="New lists" />
    ) : (
      <DropZone title={title} disabled={create.isPending} onFile={(file) => create.mutate(file)}>
        A CSV or TSV file with a header, and a column with the e-mail address. Semicolons, old encodings and quotes are
        understood.
      </DropZone>
    );
  return (
    <Page title="CSV data" lead="Lists you upload. Sidecard finds a visitor in them by the e-mail address.">
      {create.error !== null && <ProblemNote problem={asProblem(create.error)} title="The file was not taken" />}
      <Loaded query={all} what="Your lists" rows={3}>
        {(list) => {
          const lists = list.filter((c) => c.kind === kind || c.last_import !== undefined);
          if (lists.length === 0) {
            return (
              <div style={{ maxWidth: 720 }}>
                <Empty drawing={<FileDrawing />} title="No list yet">
                  Export your customers from any system and drop the file here. It is searched a moment later.
                </Empty>
                {zone("Drop a file, or choose one")}
              </div>
            );
          }
          return (
            <>
              <DataTable
                caption="Uploaded lists"
                columns={columns}
                rows={lists}
                rowKey={(c) => c.id}
                rowLink={(c) => `/csv/${c.id}`}
                narrow={(c) => ({
                  first: [<strong key="n">{c.name}</strong>, count(c.last_import?.rows ?? 0)],
                  second: [
                    c.last_import?.filename ?? "No data yet. Upload a file",
                    c.last_import ? <Time key="t" at={c.last_import.at} /> : "",
                  ],
                })}
              />
              <div style={{ maxWidth: 720, marginTop: 24 }}>{zone("Drop a file for another list, or choose one")}</div>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

// "loyalty-list_2026.csv" is called "Loyalty list 2026" until somebody renames it.
function listName(filename: string): string {
  const name = filename
    .replace(/\.[^.]*$/, "")
    .replace(/[-_]+/g, " ")
    .trim();
  return name === "" ? "Uploaded list" : (name.charAt(0).toUpperCase() + name.slice(1)).slice(0, 60);
}
