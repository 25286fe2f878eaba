// Plan and use: how much of each limit is used, what to do when one is, and the chats of the last days.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Page, Section } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import { StatusShape } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { DayChart } from "./DayChart";
import { level, levelWords, limits, percent, planTitle, usedText, type Limit, type Usage } from "./plan";
import { usage } from "./usage";
import classes from "./plan.module.css";

export function Plan() {
  const query = useQuery(usage());
  return (
    <Page title="Plan and use" lead={query.data && <Lead usage={query.data} />}>
      <Loaded query={query} what="The plan" rows={5}>
        {(u) => (
          <>
            <Section title="Used" rule>
              <ul className={classes.limits}>
                {limits(u).map((limit) => (
                  <Bar key={limit.name} limit={limit} />
                ))}
              </ul>
            </Section>
            <Section title="Chats of the last 14 days" rule>
              <DayChart days={u.days} limit={u.chats_today.limit} />
              {u.days.some((d) => d.over_quota > 0) && (
                <p className={classes.text}>
                  Chats beyond the plan were kept.{" "}
                  <Link to="/chats" search={{ outcome: "over_quota" }}>
                    Look at them and replay them
                  </Link>
                  .
                </p>
              )}
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Lead({ usage: u }: { usage: Usage }) {
  if (u.chats_today.limit === undefined) return <>{`${planTitle(u.plan)}: chats are not limited.`}</>;
  return (
    <>
      {`${planTitle(u.plan)}. The next day’s chats begin `}
      <Time at={u.resets_at} />. For a larger plan, ask whoever runs this Sidecard.
    </>
  );
}

function Bar({ limit }: { limit: Limit }) {
  const state = level(limit.used);
  return (
    <li className={classes.limit} data-level={state}>
      <div className={classes.line}>
        <span className={classes.name}>{limit.name}</span>
        <span className={classes.used}>{usedText(limit.used)}</span>
      </div>
      {limit.used.limit !== undefined && (
        <div
          className={classes.track}
          role="meter"
          aria-label={limit.name}
          aria-valuemin={0}
          aria-valuemax={limit.used.limit}
          aria-valuenow={Math.min(limit.used.used, limit.used.limit)}
          aria-valuetext={usedText(limit.used)}
        >
          <span style={{ width: `${percent(limit.used)}%` }} />
        </div>
      )}
      {state !== "free" && (
        <p className={classes.state}>
          <StatusShape name={state === "full" ? "failing" : "warning"} />
          <span>
            <strong>{levelWords[state]}.</strong> {limit.full}
          </span>
        </p>
      )}
    </li>
  );
}
