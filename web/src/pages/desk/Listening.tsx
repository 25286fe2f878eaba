// The page's ear: what has been heard of LiveSupporti so far.
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";
import type { Chat, Desk } from "../../api/queries";
import { GhostCard } from "../../parts/AgentCard";
import { StatusShape, type StatusName } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { heard, type Sign } from "./state";
import classes from "./Listening.module.css";

const shapes: Record<Sign["state"], StatusName> = {
  done: "working",
  warn: "warning",
  bad: "failing",
  waiting: "listening",
  later: "todo",
};
const spoken: Record<Sign["state"], string> = {
  done: "Done:",
  warn: "Needs a look:",
  bad: "Failed:",
  waiting: "Waiting for:",
  later: "Later:",
};

export function Listening({ desk, test, firstShown }: { desk: Desk; test?: Schemas["DeskTest"]; firstShown?: Chat }) {
  return (
    <>
      <h2 className={classes.title}>
        <span className={classes.dot} aria-hidden="true" />
        Listening
      </h2>
      <ul className={classes.signs} aria-live="polite">
        {heard(desk, test, firstShown).map((sign) => (
          <li key={sign.title}>
            <StatusShape name={shapes[sign.state]} label={spoken[sign.state]} />
            <div className={classes.body}>
              <p className={classes.name}>{sign.title}</p>
              {sign.text !== undefined && <p className={classes.text}>{sign.text}</p>}
            </div>
            <span className={classes.at}>
              {sign.at !== undefined ? <Time at={sign.at} /> : sign.state === "waiting" ? "waiting" : ""}
            </span>
          </li>
        ))}
      </ul>
      {firstShown === undefined ? (
        <GhostCard tab="First chat">Its card will appear in your agent’s window, and the time it took here.</GhostCard>
      ) : (
        <p className={classes.more}>
          <Link to="/chats">See the chats</Link>
        </p>
      )}
    </>
  );
}
