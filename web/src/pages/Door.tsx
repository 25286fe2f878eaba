// What signing up and signing in share: the form at the left, the promise drawn at the right.
import { Link } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { AgentCard } from "../parts/AgentCard";
import { Wordmark } from "../parts/Mark";
import classes from "./Door.module.css";

interface DoorProps {
  title: string;
  tab: string;
  lead: string;
  other: ReactNode;
  children: ReactNode;
}

export function Door({ title, tab, lead, other, children }: DoorProps) {
  useEffect(() => {
    document.title = `${tab} · Sidecard`;
  }, [tab]);
  return (
    <div className={classes.door}>
      <main className={classes.form}>
        <header className={classes.top}>
          <Link to="/" className={classes.home} aria-label="Sidecard, home">
            <Wordmark />
          </Link>
          <p className={`${classes.other} ${classes.wide}`}>{other}</p>
        </header>
        <div className={classes.middle}>
          <h1 className={classes.title}>{title}</h1>
          <p className={classes.lead}>{lead}</p>
          {children}
          <p className={`${classes.other} ${classes.small}`}>{other}</p>
        </div>
      </main>
      <aside className={classes.promise} aria-label="What your agents will see">
        <Promised />
      </aside>
    </div>
  );
}

function Promised() {
  return (
    <div className={classes.picture}>
      <div className={classes.chat}>
        <p className={classes.chatHead}>
          <strong>New chat</strong>
          <span>14:02:07</span>
        </p>
        <p className={classes.speaker}>Visitor</p>
        <p className={classes.bubble}>Hi, is my Trekker on its way?</p>
        <p className={`${classes.speaker} ${classes.right}`}>Tomás, agent</p>
        <p className={`${classes.bubble} ${classes.ours}`}>Hello Maya! It left on Friday with DHL.</p>
      </div>
      <div className={classes.stack}>
        <AgentCard
          tab={"Seen after 412\u00a0ms"}
          email="maya@lindqvist.se"
          details={[
            { name: "Name", value: "Maya Lindqvist" },
            { name: "Plan", value: "Care Plus, renews 14 Jan 2027" },
            { name: "Last order", value: "#48210 · Trekker 5 · €\u00a02,890" },
            { name: "Order status", value: "Shipped 20 Nov with DHL" },
            { name: "Bought so far", value: "€\u00a04,310.00" },
          ]}
        />
      </div>
      <ol className={classes.steps}>
        <li>
          Upload a CSV file or connect PostgreSQL <span>2 min</span>
        </li>
        <li>
          Choose what your agents see <span>1 min</span>
        </li>
        <li>
          Paste one address into LiveSupporti <span>1 min</span>
        </li>
      </ol>
    </div>
  );
}
