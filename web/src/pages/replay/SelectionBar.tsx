// Above the list: how many chats are chosen, and the deed by its name. It keeps its place when nothing is chosen, so
// that the rows do not jump.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { card as cardQuery } from "../../api/queries";
import { mostNamed } from "../../api/replays";
import { count } from "../../parts/text";
import { deed } from "./words";
import classes from "./SelectionBar.module.css";

interface Props {
  chosen: number;
  /** The list is live and waits while something is chosen. */
  held: boolean;
  clear: () => void;
  replayChosen: () => void;
  /** Given while a filter is set. */
  replayAll: (() => void) | undefined;
}

export function SelectionBar({ chosen, held, clear, replayChosen, replayAll }: Props) {
  const card = useQuery(cardQuery()).data?.version;
  const tooMany = chosen > mostNamed;
  return (
    <div className={classes.bar} role="group" aria-label="Replay">
      <span className={chosen > 0 ? classes.chosen : "sc-dim"} role="status">
        {chosen > 0 ? `${count(chosen)} selected` : "Select chats to replay them."}
      </span>
      {chosen > 0 && !tooMany && <Deed onClick={replayChosen}>{deed(chosen, card)}</Deed>}
      {tooMany && (
        <span className="sc-dim">
          At most {count(mostNamed)} can be replayed by selecting them. A filter replays more, step by step.
        </span>
      )}
      {chosen > 0 && <Deed onClick={clear}>Clear</Deed>}
      {replayAll !== undefined && <Deed onClick={replayAll}>Replay all that match the filter</Deed>}
      {chosen > 0 && held && <span className={classes.held}>The list waits meanwhile.</span>}
    </div>
  );
}

function Deed({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <Button variant="subtle" size="compact-md" onClick={onClick}>
      {children}
    </Button>
  );
}
