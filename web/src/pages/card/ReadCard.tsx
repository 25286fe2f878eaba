// The card for those who only look: what agents see, line by line.
import { useQuery } from "@tanstack/react-query";
import { card as cardQuery, connections, type Card, type CardLine } from "../../api/queries";
import { FileDrawing } from "../../parts/Drawings";
import { DataTable, type Column } from "../../parts/DataTable";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page } from "../../parts/Page";
import { Empty, Loaded } from "../../parts/States";
import { publishedWhen } from "./draft";

export function ReadCard() {
  const published = useQuery(cardQuery());
  const lead =
    published.data !== undefined && published.data.version > 0
      ? `Agents see v${published.data.version}, published ${publishedWhen(published.data)}.`
      : "What your agents see when a chat starts.";
  return (
    <Page title="Card" lead={lead}>
      <Loaded query={published} what="The card" rows={5}>
        {(card) =>
          card.version === 0 ? (
            <Empty drawing={<FileDrawing />} title="No card is published yet">
              A member, an admin or an owner picks its fields and publishes it.
            </Empty>
          ) : (
            <>
              <Lines card={card} />
              <div style={{ marginTop: 24 }}>
                <OnlyFor action="publishCard" what="Changes of the card" />
              </div>
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Lines({ card }: { card: Card }) {
  const sources = useQuery(connections());
  const nameOf = (line: CardLine) => sources.data?.find((s) => s.id === line.connection_id)?.name ?? "";
  const columns: Column<CardLine>[] = [
    { key: "label", head: "Line", cell: (l) => <strong>{l.label}</strong> },
    { key: "source", head: "Source", cell: nameOf },
    { key: "field", head: "Name there", cell: (l) => <code className="sc-mono">{l.field}</code> },
  ];
  return (
    <DataTable
      caption="Lines of the card, top to bottom as agents see them"
      columns={columns}
      rows={card.lines}
      rowKey={(l) => `${l.connection_id} ${l.field} ${l.label}`}
      narrow={(l) => ({
        first: [<strong key="l">{l.label}</strong>, nameOf(l)],
        second: [<code key="f">{l.field}</code>, ""],
      })}
    />
  );
}
