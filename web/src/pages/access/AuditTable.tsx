// Entries of the audit log. A row opens and says what was before and what is since.
import { IconChevronRight } from "@tabler/icons-react";
import { useId, useState, type ReactNode } from "react";
import { Dash, useNarrow } from "../../parts/DataTable";
import { Time } from "../../parts/Time";
import { utc } from "../../parts/text";
import type { AuditEntry } from "./access";
import { actionText } from "./actions";
import { changesOf, nameText, type Change } from "./changes";
import classes from "./Audit.module.css";

const caption = "Audit log, newest first";

export function AuditTable({ entries }: { entries: readonly AuditEntry[] }) {
  const narrow = useNarrow();
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set()); // up here it outlives a turn of the screen
  const row = (entry: AuditEntry): RowProps => ({
    entry,
    open: opened.has(entry.number),
    toggle: () => setOpened((old) => toggled(old, entry.number)),
  });
  if (narrow) {
    return (
      <ul className={classes.list} aria-label={caption}>
        {entries.map((entry) => (
          <NarrowRow key={entry.number} {...row(entry)} />
        ))}
      </ul>
    );
  }
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <caption className="sc-sr">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">To what</th>
            <th scope="col">From where</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Row key={entry.number} {...row(entry)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  entry: AuditEntry;
  open: boolean;
  toggle: () => void;
}

function toggled(set: ReadonlySet<number>, number: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(number)) next.add(number);
  return next;
}

function Row({ entry, open, toggle }: RowProps) {
  const id = useId();
  return (
    <>
      <tr className={classes.row} data-open={open || undefined}>
        <td className={classes.time}>
          <Opener open={open} toggle={toggle} controls={id}>
            <Time at={entry.at} />
          </Opener>
        </td>
        <td>
          <Who entry={entry} />
        </td>
        <td>{actionText(entry.action)}</td>
        <td className={classes.wrap}>{entry.subject || <Dash spoken="nothing in particular" />}</td>
        <td className={classes.address}>{entry.address || <Dash spoken="not known" />}</td>
      </tr>
      {open && (
        <tr className={classes.opened} id={id}>
          <td colSpan={5}>
            <Details entry={entry} />
          </td>
        </tr>
      )}
    </>
  );
}

function NarrowRow({ entry, open, toggle }: RowProps) {
  const id = useId();
  return (
    <li className={classes.item}>
      <div className={classes.row}>
        <Opener open={open} toggle={toggle} controls={id}>
          <span>
            {actionText(entry.action)}
            {entry.subject !== undefined && entry.subject !== "" && (
              <span className={classes.wrap}>
                {": "}
                {entry.subject}
              </span>
            )}
          </span>
        </Opener>
        <div className={classes.second}>
          <Who entry={entry} />
          <Time at={entry.at} />
        </div>
      </div>
      {open && (
        <div id={id}>
          <Details entry={entry} />
        </div>
      )}
    </li>
  );
}

// The button's reach is the whole row; what is read out is its own cell.
function Opener({
  open,
  toggle,
  controls,
  children,
}: {
  open: boolean;
  toggle: () => void;
  controls: string;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className={classes.opener}
      aria-expanded={open}
      aria-controls={open ? controls : undefined}
      onClick={toggle}
    >
      <IconChevronRight size={16} stroke={1.75} aria-hidden="true" />
      {children}
      <span className="sc-sr">, details</span>
    </button>
  );
}

const kinds = { user: undefined, token: "API token", operator: "operator of Sidecard", system: "by itself" };

function Who({ entry }: { entry: AuditEntry }) {
  const kind = kinds[entry.actor_kind];
  return (
    <span className={classes.wrap}>
      {entry.actor || "Sidecard"}
      {kind !== undefined && <span className={classes.kind}> {kind}</span>}
    </span>
  );
}

function Details({ entry }: { entry: AuditEntry }) {
  const changes = changesOf(entry);
  return (
    <div className={classes.details}>
      {changes.length === 0 ? <p className="sc-dim">Nothing more is noted of this.</p> : <Changes changes={changes} />}
      <p className={classes.exact}>
        Entry {entry.number} · <code>{entry.action}</code> · {utc(new Date(entry.at))}
        {entry.address !== "" && ` · from ${entry.address}`}
        {entry.subject_id !== undefined && entry.subject_id !== "" && (
          <>
            {" · "}
            <code>{entry.subject_id}</code>
          </>
        )}
      </p>
    </div>
  );
}

function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <table className={classes.changes}>
      <caption className="sc-sr">What changed</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((c) => (
          <tr key={c.path}>
            <th scope="row">{nameText(c.path)}</th>
            <td>{c.before ?? <Dash spoken="not there" />}</td>
            <td>{c.after ?? <Dash spoken="not there" />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
