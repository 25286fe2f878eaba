// Chats day by day as columns, those beyond the plan on top. The same numbers are a table for screen readers.
import { count } from "../../parts/text";
import { dayText, type UsageDay } from "./plan";
import classes from "./plan.module.css";

const width = 560;
const height = 160;
const gap = 6;

export function DayChart({ days, limit }: { days: readonly UsageDay[]; limit?: number }) {
  const most = Math.max(1, limit ?? 0, ...days.map((d) => d.chats));
  const step = width / days.length;
  const tall = (chats: number) => (chats === 0 ? 0 : Math.max(2, (chats / most) * height));
  return (
    <figure className={classes.chart}>
      <svg viewBox={`0 -4 ${width} ${height + 5}`} preserveAspectRatio="none" aria-hidden="true">
        {days.map((d, i) => {
          const all = tall(d.chats);
          const over = d.chats === 0 ? 0 : all * (d.over_quota / d.chats);
          const at = { x: i * step + gap / 2, width: step - gap };
          return (
            <g key={d.day}>
              <title>{spoken(d)}</title>
              <rect className={classes.hit} x={i * step} y={0} width={step} height={height} />
              <rect className={classes.column} {...at} y={height - all + over} height={all - over} />
              {over > 0 && <rect className={classes.over} {...at} y={height - all} height={over} />}
            </g>
          );
        })}
        {limit !== undefined && (
          <line className={classes.limitLine} x1={0} x2={width} y1={height - tall(limit)} y2={height - tall(limit)} />
        )}
        <line className={classes.ground} x1={0} x2={width} y1={height} y2={height} />
      </svg>
      <figcaption className={classes.caption}>
        <span>{days[0] && dayText(days[0].day)}</span>
        <span>
          {limit === undefined
            ? `Most in a day: ${count(Math.max(0, ...days.map((d) => d.chats)))}`
            : `Dashed: ${count(limit)} chats, the plan’s number of a day`}
        </span>
        <span>Today</span>
      </figcaption>
      <div className="sc-sr">
        <table>
          <caption>Chats of the last 14 days (UTC)</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Chats</th>
              <th scope="col">Beyond the plan</th>
            </tr>
          </thead>
          <tbody>
            {days.map((d) => (
              <tr key={d.day}>
                <th scope="row">{dayText(d.day)}</th>
                <td>{count(d.chats)}</td>
                <td>{count(d.over_quota)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function spoken(d: UsageDay): string {
  const beyond = d.over_quota > 0 ? `, ${count(d.over_quota)} of them beyond the plan` : "";
  return `${dayText(d.day)}: ${count(d.chats)} ${d.chats === 1 ? "chat" : "chats"}${beyond}`;
}
