// Rows under hairlines. On a narrow screen each row becomes two lines, and the whole row is the link.
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
  /** The class of rows that are new to look at. */
  hideHead?: boolean;
}

export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const narrow = useNarrow();
  if (narrow && props.narrow !== undefined) return <NarrowList {...props} narrow={props.narrow} />;
  const { caption, columns, rows, rowKey, rowLink, hideHead } = props;
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <caption className="sc-sr">{caption}</caption>
        <thead className={hideHead ? "sc-sr" : undefined}>
          <tr>
            {columns.map((c) => (
              <th key={c.key} scope="col" data-align={c.align} style={{ width: c.width }}>
                {c.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-link={rowLink !== undefined || undefined}>
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
}: DataTableProps<Row> & Required<Pick<DataTableProps<Row>, "narrow">>) {
  return (
    <ul className={classes.list} aria-label={caption}>
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
          <li key={rowKey(row)}>
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

/** A value that is not there: a dash to see, a word to hear. */
export function Dash({ spoken }: { spoken: string }) {
  return (
    <span className="sc-dim">
      <span aria-hidden="true">–</span>
      <span className="sc-sr">{spoken}</span>
    </span>
  );
}
