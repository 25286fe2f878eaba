// The steps of a check, each with what was seen and what to do: in words, as text to run elsewhere, or with a click.
import { Button } from "@mantine/core";
import type { Schemas } from "../api/client";
import { Script } from "./Script";
import { StatusShape } from "./Status";
import classes from "./CheckSteps.module.css";

const shapes = { ok: "working", warn: "warning", fail: "failing" } as const;
const words = { ok: "Fine:", warn: "Needs a look:", fail: "Failed:" };

type Step = Schemas["CheckReport"]["steps"][number];
export type Suggestion = NonNullable<Step["suggest"]>[number];

interface Props {
  report: Schemas["CheckReport"];
  /** Takes a suggestion: stores it and checks again. */
  take?: (suggestion: Suggestion) => void;
  /** A suggestion is being stored. */
  busy?: boolean;
}

export function CheckSteps({ report, take, busy }: Props) {
  return (
    <ol className={classes.steps}>
      {report.steps.map((step, i) => (
        <li key={i}>
          <StatusShape name={shapes[step.state]} label={words[step.state]} />
          <div className={classes.step}>
            <p className={classes.name}>{step.name}</p>
            <p className={classes.detail}>{step.detail}</p>
            {step.advice !== "" && (
              <p className={classes.advice} data-state={step.state}>
                {step.advice}
              </p>
            )}
            {step.script && <Script text={step.script} name={`script for “${step.name}”`} />}
            {take !== undefined && step.suggest && step.suggest.length > 0 && (
              <Suggestions of={step.suggest} take={take} busy={busy} />
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Suggestions({
  of,
  take,
  busy,
}: { of: readonly Suggestion[] } & Pick<Props, "busy"> & Required<Pick<Props, "take">>) {
  return (
    <ul className={classes.suggestions}>
      {of.map((suggestion, i) => (
        <li key={i}>
          <Button
            variant="default"
            size="compact-md"
            disabled={busy}
            title={`${suggestion.setting}: ${suggestion.value}`}
            onClick={() => take(suggestion)}
          >
            {suggestion.label}
          </Button>
        </li>
      ))}
    </ul>
  );
}
