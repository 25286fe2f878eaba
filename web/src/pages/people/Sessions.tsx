// Where one is signed in, and the end of what should not be.
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, data } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ProblemNote } from "../../parts/Note";
import { Section } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import { Time } from "../../parts/Time";
import { clientName } from "./clients";
import { sessions, useStale, type SignedInAt } from "./people";
import classes from "./people.module.css";

export function Sessions() {
  const query = useQuery(sessions());
  const stale = useStale();
  const settled = () => stale(sessions);
  const others = useMutation({ mutationFn: () => data(api.DELETE("/api/v1/me/sessions")), onSettled: settled });
  const one = useMutation({
    mutationFn: (id: string) =>
      data(api.DELETE("/api/v1/me/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSettled: settled,
  });
  const error = others.error ?? one.error;
  const ended = others.isSuccess
    ? "All your other sessions have ended."
    : one.isSuccess
      ? "The session has ended."
      : "";
  return (
    <Section
      title="Where you are signed in"
      aside={
        query.data !== undefined &&
        query.data.some((s) => !s.current) && (
          <Button
            variant="subtle"
            color="vermilion"
            size="compact-md"
            loading={others.isPending}
            onClick={() => {
              one.reset();
              others.mutate();
            }}
          >
            End all others
          </Button>
        )
      }
    >
      {error !== null && <ProblemNote problem={asProblem(error)} title="Not ended" />}
      <Loaded query={query} what="Your sessions" rows={2}>
        {(list) => (
          <ul className={classes.list}>
            {[...list].sort(currentFirst).map((s) => (
              <li key={s.id}>
                <Where session={s} />
                {!s.current && (
                  <Button
                    variant="subtle"
                    color="vermilion"
                    size="compact-md"
                    aria-label={`End the session of ${clientName(s.client)} from ${s.address}`}
                    loading={one.isPending && one.variables === s.id}
                    onClick={() => {
                      others.reset();
                      one.mutate(s.id);
                    }}
                  >
                    End
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <span className="sc-sr" role="status">
        {ended}
      </span>
    </Section>
  );
}

function Where({ session }: { session: SignedInAt }) {
  return (
    <div>
      <div className={classes.name}>
        <span title={session.client}>{clientName(session.client)}</span>
        {session.current && <span className={classes.mark}>this one</span>}
      </div>
      <div className={classes.below}>
        From {session.address}, signed in <Time at={session.created_at} />
        {!session.current && (
          <>
            , last used <Time at={session.last_used_at} />
          </>
        )}
      </div>
    </div>
  );
}

function currentFirst(a: SignedInAt, b: SignedInAt): number {
  return Number(b.current) - Number(a.current) || b.last_used_at.localeCompare(a.last_used_at);
}
