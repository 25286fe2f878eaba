// The card: what the agent sees, the one raised thing of the portal. And its ghost, for a card that is not
// there: not yet, none, or missed.
import type { ReactNode } from "react";
import classes from "./AgentCard.module.css";

export interface Detail {
  name: string;
  value: string;
}

interface CardProps {
  tab: string;
  details: readonly Detail[];
  email?: string;
  foot?: ReactNode;
  /** The name of the line being edited, tinted in step with its row. */
  edited?: string;
}

export function AgentCard(props: CardProps) {
  return (
    <section className={classes.card} aria-label={`The card. ${props.tab}`}>
      <div className={classes.tab}>{props.tab}</div>
      <div className={classes.paper}>
        <Content {...props} />
      </div>
    </section>
  );
}

export function GhostCard({ tab, children }: { tab: string; children: ReactNode }) {
  return (
    <section className={classes.ghost} aria-label={tab}>
      <div className={classes.ghostTab}>{tab}</div>
      <div className={classes.ghostPaper}>{children}</div>
    </section>
  );
}

/** A card that was made and did not reach the agent. */
export function MissedCard(props: CardProps) {
  return (
    <section className={classes.ghost} aria-label={`The card. ${props.tab}`}>
      <div className={classes.ghostTab}>{props.tab}</div>
      <div className={`${classes.ghostPaper} ${classes.lined}`}>
        <Content {...props} />
      </div>
    </section>
  );
}

function Content({ details, email, foot, edited }: CardProps) {
  const { title, lines } = titled(details);
  const tint = (name: string) => (name === edited ? classes.edited : undefined);
  return (
    <>
      {(title !== undefined || email !== undefined) && (
        <header className={`${classes.head} ${title ? (tint(title.name) ?? "") : ""}`}>
          {title !== undefined && <p className={classes.name}>{title.value}</p>}
          {email !== undefined && <p className={title === undefined ? classes.name : classes.email}>{email}</p>}
        </header>
      )}
      {lines.length > 0 && (
        <dl className={classes.lines}>
          {lines.map((line, i) => (
            <div key={i} className={`${classes.line} ${tint(line.name) ?? ""}`}>
              <dt>{line.name}</dt>
              <dd>{line.value}</dd>
            </div>
          ))}
        </dl>
      )}
      {foot !== undefined && <footer className={classes.foot}>{foot}</footer>}
    </>
  );
}

/** titled takes the visitor's name, when it is the first line, as the card's title. */
export function titled(details: readonly Detail[]): { title?: Detail; lines: readonly Detail[] } {
  const first = details[0];
  if (first !== undefined && /^(full |customer |visitor |contact )?name$/i.test(first.name.trim())) {
    return { title: first, lines: details.slice(1) };
  }
  return { lines: details };
}
