// Rows under hairlines. On a narrow screen each row becomes two lines, and the whole row is the link. Rows can be
// chosen, one by one and all at once.
import { Checkbox } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import classes from "./DataTable.module.css";

export interface Column<Row> {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  align?: "right";
  width?: string;
}

/** Which rows are chosen, by their key. */
export interface Choice {
  chosen: ReadonlySet<string>;
  choose: (keys: readonly string[], on: boolean) => void;
}

interface DataTableProps<Row> {
  /** What the table holds, for screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Where a row leads: a path of the portal. Its first cell becomes the link. */
  rowLink?: (row: Row) => string;
  /** The row in two lines, for narrow screens: [left, right] of each. Without it the table scrolls. */
  narrow?: (row: Row) => { first: [ReactNode, ReactNode]; second: [ReactNode, ReactNode] };
  hideHead?: boolean;
  /** Lets rows be chosen; `label` names a row's checkbox, for screen readers. */
  choice?: Choice & { label: (row: Row) => string };
}

export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const narrow = useNarrow();
  if (narrow && props.narrow !== undefined) return <NarrowList {...props} narrow={props.narrow} />;
  const { caption, columns, rows, rowKey, rowLink, hideHead, choice } = props;
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <caption className="sc-sr">{caption}</caption>
        <thead className={hideHead ? "sc-sr" : undefined}>
          <tr>
            {choice !== undefined && (
              <th scope="col" className={classes.choice}>
                <ChooseAll choice={choice} keys={rows.map(rowKey)} />
              </th>
            )}
            {columns.map((c) => (
              <th key={c.key} scope="col" data-align={c.align} style={{ width: c.width }}>
                {c.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              data-link={rowLink !== undefined || undefined}
              data-chosen={choice?.chosen.has(rowKey(row)) || undefined}
            >
              {choice !== undefined && (
                <td className={classes.choice}>
                  <Choose choice={choice} row={row} id={rowKey(row)} />
                </td>
              )}
              {columns.map((c, i) => (
                <td key={c.key} data-align={c.align}>
                  {i === 0 && rowLink !== undefined ? (
                    <Link to={rowLink(row)} className={classes.link}>
                      {c.cell(row)}
                    </Link>
                  ) : (
                    c.cell(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NarrowList<Row>({
  caption,
  rows,
  rowKey,
  rowLink,
  narrow,
  choice,
}: DataTableProps<Row> & Required<Pick<DataTableProps<Row>, "narrow">>) {
  return (
    <ul className={classes.list} aria-label={caption}>
      {choice !== undefined && (
        <li className={classes.all}>
          <ChooseAll choice={choice} keys={rows.map(rowKey)} />
          <span aria-hidden="true">{allText(rows.length)}</span>
        </li>
      )}
      {rows.map((row) => {
        const { first, second } = narrow(row);
        const body = (
          <>
            <span className={classes.pair}>
              <span>{first[0]}</span>
              <span>{first[1]}</span>
            </span>
            <span className={`${classes.pair} ${classes.second}`}>
              <span>{second[0]}</span>
              <span>{second[1]}</span>
            </span>
          </>
        );
        return (
          <li key={rowKey(row)} data-chosen={choice?.chosen.has(rowKey(row)) || undefined}>
            {choice !== undefined && <Choose choice={choice} row={row} id={rowKey(row)} />}
            {rowLink === undefined ? (
              <div className={classes.item}>{body}</div>
            ) : (
              <Link to={rowLink(row)} className={classes.item}>
                {body}
              </Link>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function allText(rows: number): string {
  return `Select all ${rows} that are loaded`;
}

// The label is larger than its box, so that a near miss does not open the row.
const box = { root: classes.box, body: classes.boxBody, labelWrapper: classes.boxLabels, label: classes.boxLabel };

function ChooseAll({ choice, keys }: { choice: Choice; keys: readonly string[] }) {
  const some = keys.some((key) => choice.chosen.has(key));
  const all = some && keys.every((key) => choice.chosen.has(key));
  return (
    <Checkbox
      size="xs"
      classNames={box}
      label={<span className="sc-sr">{allText(keys.length)}</span>}
      checked={all}
      indeterminate={some && !all}
      onChange={() => choice.choose(keys, !all)}
    />
  );
}

function Choose<Row>({ choice, row, id }: { choice: Choice & { label: (row: Row) => string }; row: Row; id: string }) {
  return (
    <Checkbox
      size="xs"
      classNames={box}
      label={<span className="sc-sr">{choice.label(row)}</span>}
      checked={choice.chosen.has(id)}
      onChange={(e) => choice.choose([id], e.currentTarget.checked)}
    />
  );
}

/** A value that is not there: a dash to see, a word to hear. */
export function Dash({ spoken }: { spoken: string }) {
  return (
    <span className="sc-dim">
      <span aria-hidden="true">–</span>
      <span className="sc-sr">{spoken}</span>
    </span>
  );
}
