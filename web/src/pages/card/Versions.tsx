// Every version of the card, newest first, and a way back.
import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { cardVersions, type Card } from "../../api/queries";
import { DataTable, type Column } from "../../parts/DataTable";
import { Loaded } from "../../parts/States";
import { Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { plural } from "../../parts/text";

interface Props {
  opened: boolean;
  close: () => void;
  current: number;
  take: (card: Card) => void;
}

export function Versions({ opened, close, current, take }: Props) {
  const query = useQuery({ ...cardVersions(), enabled: opened });
  const columns: Column<Card>[] = [
    { key: "version", head: "Version", cell: (c) => `v${c.version}`, width: "72px" },
    { key: "at", head: "Published", cell: (c) => (c.published_at ? <Time at={c.published_at} /> : "") },
    { key: "by", head: "By", cell: (c) => c.published_by ?? "" },
    {
      key: "lines",
      head: "Lines",
      cell: (c) => <span title={c.lines.map((l) => l.label).join(", ")}>{plural(c.lines.length, "line")}</span>,
    },
    {
      key: "take",
      head: <span className="sc-sr">Go back</span>,
      align: "right",
      cell: (c) =>
        c.version === current ? (
          <Status name="working" word="In use" />
        ) : (
          <Button
            variant="subtle"
            size="compact-md"
            onClick={() => {
              take(c);
              close();
            }}
          >
            Start from v{c.version}
          </Button>
        ),
    },
  ];
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Versions"
      size="lg"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Loaded query={query} what="Versions" rows={3}>
        {(list) => (
          <DataTable
            caption="Versions of the card, newest first"
            columns={columns}
            rows={list}
            rowKey={(c) => String(c.version)}
          />
        )}
      </Loaded>
    </Modal>
  );
}
