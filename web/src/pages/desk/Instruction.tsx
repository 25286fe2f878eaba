// One numbered instruction; its number becomes a tick when what it asks for was seen to be done.
import type { ReactNode } from "react";
import { StatusShape } from "../../parts/Status";
import classes from "./Instruction.module.css";

interface Props {
  number: number;
  id?: string;
  title: ReactNode;
  state: "open" | "done" | "warn";
  children?: ReactNode;
}

export function Instruction({ number, id, title, state, children }: Props) {
  return (
    <li className={classes.instruction} id={id}>
      <span className={classes.sign}>
        {state === "open" && number}
        {state === "done" && <StatusShape name="working" size={20} label={`Step ${number}, done:`} />}
        {state === "warn" && <StatusShape name="warning" size={20} label={`Step ${number}, needs a look:`} />}
      </span>
      <div className={classes.body}>
        <h2 className={classes.title}>{title}</h2>
        {children !== undefined && <div className={classes.content}>{children}</div>}
      </div>
    </li>
  );
}
