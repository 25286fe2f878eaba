// Something to know or to fix: bold cause, plain consequence and fix, then the button that fixes it and
// the id to tell us.
import { IconAlertTriangleFilled, IconInfoCircle, IconSquareXFilled, IconCircleCheckFilled } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { ProblemError } from "../api/problem";
import { CopyId } from "./CopyField";
import classes from "./Note.module.css";

const icons = {
  bad: IconSquareXFilled,
  warn: IconAlertTriangleFilled,
  none: IconInfoCircle,
  good: IconCircleCheckFilled,
};

interface NoteProps {
  tone: keyof typeof icons;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  id?: string;
  /** Said at once by screen readers; for what has just happened. */
  live?: boolean;
}

export function Note({ tone, title, children, actions, id, live }: NoteProps) {
  const Shape = icons[tone];
  return (
    <div className={classes.note} data-tone={tone} role={live ? "alert" : undefined}>
      <Shape className={classes.shape} size={19} stroke={1.75} aria-hidden="true" />
      <div className={classes.body}>
        <p className={classes.title}>{title}</p>
        {children !== undefined && <div className={classes.text}>{children}</div>}
        {(Boolean(actions) || id !== undefined) && (
          <div className={classes.actions}>
            {actions}
            {id !== undefined && <CopyId value={id} name="request id" />}
          </div>
        )}
      </div>
    </div>
  );
}

function placed({ detail, line }: { detail: string; line?: number }): string {
  return line === undefined ? detail : `Line ${line}: ${detail}`;
}

/** A failed call, with what the API says to do about it. Fields that the form shows itself are left out. */
export function ProblemNote({
  problem,
  title,
  actions,
  fields,
}: {
  problem: ProblemError;
  title: string;
  actions?: ReactNode;
  fields?: readonly { pointer: string; detail: string; line?: number }[];
}) {
  const all = fields ?? problem.fields;
  const longer = all.find((f) => f.detail.startsWith(problem.message));
  const extra = all.filter((f) => f !== longer);
  return (
    <Note tone="bad" title={title} actions={actions} id={problem.requestId} live>
      {longer === undefined ? problem.message : placed(longer)}
      {extra.length > 0 && (
        <ul className={classes.list}>
          {extra.map((f, i) => (
            <li key={i}>{placed(f)}</li>
          ))}
        </ul>
      )}
    </Note>
  );
}
