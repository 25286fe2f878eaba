// The steps of a check, each with what was seen and what to do.
import type { Schemas } from "../api/client";
import { StatusShape } from "./Status";
import classes from "./CheckSteps.module.css";

const shapes = { ok: "working", warn: "warning", fail: "failing" } as const;
const words = { ok: "Fine:", warn: "Needs a look:", fail: "Failed:" };

export function CheckSteps({ report }: { report: Schemas["CheckReport"] }) {
  return (
    <ol className={classes.steps}>
      {report.steps.map((step, i) => (
        <li key={i}>
          <StatusShape name={shapes[step.state]} label={words[step.state]} />
          <div>
            <p className={classes.name}>{step.name}</p>
            <p className={classes.detail}>{step.detail}</p>
            {step.advice !== "" && (
              <p className={classes.advice} data-state={step.state}>
                {step.advice}
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
