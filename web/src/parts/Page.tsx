// A page on the sheet: one h1 that says the answer where there is one, a dimmed line, actions at the right,
// and what belongs beside it in the dock.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";
import classes from "./Page.module.css";

interface PageProps {
  title: string;
  /** The browser tab's name, when the h1 is a whole sentence. */
  tab?: string;
  status?: ReactNode;
  lead?: ReactNode;
  back?: { to: string; label: string };
  actions?: ReactNode;
  dock?: ReactNode;
  children: ReactNode;
}

let shownBefore = false;

export function Page({ title, tab, status, lead, back, actions, dock, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${tab ?? title} · Sidecard`;
  }, [tab, title]);
  useEffect(() => {
    // After a change of page a screen reader starts at its heading; the first page starts at the top.
    if (shownBefore) heading.current?.focus({ preventScroll: true });
    shownBefore = true;
  }, []);
  return (
    <div className={classes.page} data-docked={dock !== undefined || undefined}>
      <main className={classes.main} id="main">
        <header className={classes.header}>
          <div className={classes.headline}>
            {back !== undefined && (
              <Link to={back.to} className={classes.back}>
                {back.label}
              </Link>
            )}
            <div className={classes.titled}>
              {status}
              <h1 ref={heading} tabIndex={-1}>
                {title}
              </h1>
            </div>
            {lead !== undefined && <p className={classes.lead}>{lead}</p>}
          </div>
          {actions !== undefined && <div className={classes.actions}>{actions}</div>}
        </header>
        {children}
      </main>
      {dock !== undefined && (
        <aside className={classes.dock} aria-label="Beside the page">
          <div className={classes.sticky}>{dock}</div>
        </aside>
      )}
    </div>
  );
}

/** A heading inside a page, with what belongs at its right. */
export function Section({
  title,
  aside,
  children,
  rule,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
  rule?: boolean;
}) {
  return (
    <section className={classes.section} aria-label={title}>
      <div className={classes.sectionHead} data-rule={rule || undefined}>
        <h2>{title}</h2>
        {aside !== undefined && <div className={classes.aside}>{aside}</div>}
      </div>
      {children}
    </section>
  );
}
