// Pages for addresses that lead nowhere and for pages that broke.
import { Button } from "@mantine/core";
import { Link, type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../parts/Note";
import { Wordmark } from "../parts/Mark";
import classes from "./Missing.module.css";

export function Missing() {
  return (
    <Bare title="There is no page at this address">
      <p>
        The link may be old. <Link to="/">Go home</Link> or look at your <Link to="/chats">chats</Link>.
      </p>
    </Bare>
  );
}

export function Broken({ error }: ErrorComponentProps) {
  const router = useRouter();
  const problem = asProblem(error);
  return (
    <Bare title="This page did not open">
      <ProblemNote
        problem={problem}
        title={
          problem.status === 0 && problem.code === "unreachable" ? "Sidecard does not answer" : "Something here broke"
        }
        actions={
          <Button size="compact-md" color="vermilion" onClick={() => void router.invalidate()}>
            Try again
          </Button>
        }
      />
    </Bare>
  );
}

function Bare({ title, children }: { title: string; children: React.ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Sidecard`;
  }, [title]);
  return (
    <main className={classes.bare}>
      <Link to="/" className={classes.home} aria-label="Sidecard, home">
        <Wordmark />
      </Link>
      <h1>{title}</h1>
      {children}
    </main>
  );
}
