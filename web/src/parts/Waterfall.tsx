// A chat's time, drawn: which part ran when, who owned it, and where the goal was. A real table for those
// who do not see the bars.
import { IconX } from "@tabler/icons-react";
import { useId } from "react";
import { lay, spoken, type Part, type Row } from "./waterfall";
import { ms, msText } from "./text";
import classes from "./Waterfall.module.css";

interface WaterfallProps {
  parts: readonly Part[];
  goalMs: number;
  /** What stands in the last row when the agent saw nothing. */
  unseen: { word: string; failed: boolean };
}

export function Waterfall({ parts, goalMs, unseen }: WaterfallProps) {
  const w = lay(parts, goalMs);
  const percent = (n: number) => `${n}%`;
  const summary = useId();
  return (
    <>
      <p className="sc-sr" id={summary}>
        {spoken(w, goalMs)}
      </p>
      <div className={classes.table} role="table" aria-label="Where the time went" aria-describedby={summary}>
        <div className={classes.row} role="row">
          <span role="columnheader" className={classes.head}>
            Part
          </span>
          <span
            role="columnheader"
            className={`${classes.lane} ${classes.axis}`}
            aria-label={`Time from 0, goal ${msText(goalMs)}`}
          >
            {w.ticks.map((t) => (
              <span
                key={t.label}
                className={classes.tick}
                data-goal={t.goal || undefined}
                style={{ left: percent(t.at) }}
              >
                {t.label}
              </span>
            ))}
          </span>
          <span role="columnheader" className={`${classes.head} ${classes.ms}`}>
            ms
          </span>
        </div>
        <div className={classes.rows} role="rowgroup">
          <div className={classes.grid} aria-hidden="true">
            <div className={classes.lane}>
              <span className={classes.late} style={{ left: percent(w.goal) }} />
              {w.ticks
                .filter((t) => t.at > 0)
                .map((t) => (
                  <span
                    key={t.label}
                    className={t.goal ? classes.goal : classes.line}
                    style={{ left: percent(t.at) }}
                  />
                ))}
            </div>
          </div>
          {w.rows.map((row) => (
            <PartRow key={row.key} row={row} />
          ))}
          <div className={`${classes.row} ${classes.last}`} role="row">
            <span role="cell">Agent sees it</span>
            <span role="cell" className={classes.lane}>
              {w.seen !== null ? (
                <span
                  className={classes.flag}
                  data-left={w.seen.at > 80 || undefined}
                  style={{ left: percent(w.seen.at) }}
                >
                  {msText(w.seen.ms)}
                </span>
              ) : (
                <Unseen at={w.endedAt} {...unseen} />
              )}
            </span>
            <span role="cell" className={classes.ms}>
              {w.seen !== null ? ms(w.seen.ms) : <Nothing />}
            </span>
          </div>
        </div>
      </div>
      <Legend parts={parts} />
    </>
  );
}

function PartRow({ row }: { row: Row }) {
  return (
    <div className={classes.row} role="row">
      <span role="cell" className={classes.label}>
        {row.label}
      </span>
      <span role="cell" className={classes.lane}>
        {row.bars.map((bar, i) => (
          <span
            key={i}
            className={classes.bar}
            data-owner={bar.owner}
            data-state={bar.state}
            style={{ left: `${bar.at}%`, width: `max(3px, ${bar.size}%)` }}
          />
        ))}
        {row.note !== "" && noteAt(row) !== undefined && (
          <span className={classes.note} style={noteAt(row)}>
            {row.note}
          </span>
        )}
      </span>
      <span role="cell" className={classes.ms}>
        {ms(row.ms)}
      </span>
    </div>
  );
}

// After the bar, or before it; nowhere when the bar leaves no room. The attempts below say the same.
function noteAt(row: Row) {
  const start = row.bars[0]?.at ?? 0;
  if (row.end <= 62) return { left: `calc(max(${row.end}%, ${start}% + 3px) + 8px)` };
  return start >= 40 ? { right: `calc(${100 - start}% + 8px)` } : undefined;
}

function Unseen({ at, word, failed }: { at: number; word: string; failed: boolean }) {
  const style = at > 30 ? { right: `${100 - at}%` } : { left: 8 };
  return (
    <span className={classes.unseen} data-failed={failed || undefined} style={style}>
      {failed && <IconX size={16} stroke={2} aria-hidden="true" />}
      {word}
    </span>
  );
}

function Nothing() {
  return (
    <>
      <span aria-hidden="true" className="sc-dim">
        –
      </span>
      <span className="sc-sr">none</span>
    </>
  );
}

function Legend({ parts }: { parts: readonly Part[] }) {
  const has = (test: (p: Part) => boolean) => parts.some(test);
  return (
    <ul className={classes.legend}>
      {has((p) => p.owner === "sidecard" && p.state === "work") && <Key owner="sidecard" word="Sidecard" />}
      {has((p) => p.state === "waiting") && <Key state="waiting" word="waiting" />}
      {has((p) => p.owner === "source") && <Key owner="source" word="your sources" />}
      {has((p) => p.owner === "livesupporti" && p.name !== "seen") && <Key owner="livesupporti" word="LiveSupporti" />}
      {has((p) => p.state === "failed") && <Key state="failed" word="failed" />}
    </ul>
  );
}

function Key({ owner, state = "work", word }: { owner?: Part["owner"]; state?: Part["state"]; word: string }) {
  return (
    <li>
      <span className={classes.swatch} data-owner={owner} data-state={state} aria-hidden="true" />
      {word}
    </li>
  );
}
