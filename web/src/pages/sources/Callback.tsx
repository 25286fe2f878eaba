// Back from the vendor's login page: finishes the login and goes on to the source, or says why not.
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, data } from "../../api/client";
import { asProblem, type ProblemError } from "../../api/problem";
import { connection, connections } from "../../api/queries";
import { PlugDrawing } from "../../parts/Drawings";
import { Note, ProblemNote } from "../../parts/Note";
import { Page } from "../../parts/Page";
import { Empty, Loading } from "../../parts/States";
import { whole, type Answer } from "./answer";
import { forgetLogin, startedLogin } from "./oauth";
import { useBeginLogin } from "./useBeginLogin";

const back = { to: "/sources", label: "Sources" };

export function Callback() {
  const search = useSearch({ from: "/inside/connect/callback" });
  const [answer] = useState(search); // the address is cleared of it below
  return whole(answer) ? <Finishing answer={answer} /> : <NothingHere />;
}

function Finishing({ answer }: { answer: Answer }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const finish = useMutation({
    mutationFn: ({ code, state = "", error }: Answer) =>
      data(
        api.POST("/api/v1/connections/login/finish", {
          body: error === undefined ? { state, code } : { state, error },
        }),
      ),
    onSuccess: async (source) => {
      forgetLogin();
      queries.setQueryData(connection(source.id).queryKey, source);
      await queries.invalidateQueries({ queryKey: connections().queryKey });
      await navigate({
        to: "/sources/$connectionId",
        params: { connectionId: source.id },
        replace: true,
        state: { check: true },
      });
    },
    // A code is good once: neither a reload nor the way back may send it again.
    onError: () => navigate({ to: "/connect/callback", search: {}, replace: true }),
  });
  const sent = useRef(false);
  useEffect(() => {
    if (sent.current) return;
    sent.current = true;
    finish.mutate(answer);
  }, [finish, answer]);
  if (finish.error !== null) {
    return (
      <NotFinished
        problem={asProblem(finish.error)}
        refused={answer.error === "access_denied"}
        retry={() => finish.mutate(answer)}
      />
    );
  }
  return (
    <Page title="Connecting" lead="The login went well. Sidecard takes over from here." back={back}>
      <Loading what="the connection" rows={3} />
    </Page>
  );
}

interface NotFinishedProps {
  problem: ProblemError;
  /** Somebody pressed Cancel at the vendor, and knows why. */
  refused: boolean;
  retry: () => void;
}

function NotFinished({ problem, refused, retry }: NotFinishedProps) {
  const id = startedLogin();
  const source = useQuery({ ...connection(id ?? ""), enabled: id !== null });
  const again = useBeginLogin(() => id ?? "");
  const name = source.data?.name;
  const button = { size: "compact-md", color: refused ? undefined : "vermilion" } as const;
  const arrived = problem.status >= 400 && problem.status < 500; // else the same answer may still be good
  return (
    <Page title="The login was not finished" lead={name && `${name} stays as it was.`} back={back}>
      <Note
        tone={refused ? "warn" : "bad"}
        title={problem.message}
        id={problem.requestId}
        live
        actions={
          <>
            {!arrived && (
              <Button {...button} onClick={retry}>
                Try again
              </Button>
            )}
            {arrived && name !== undefined && (
              <Button {...button} loading={again.busy} onClick={again.leave}>
                Connect again
              </Button>
            )}
            {name === undefined ? (
              <Link to="/sources">Go to the sources</Link>
            ) : (
              <Link to="/sources/$connectionId" params={{ connectionId: id ?? "" }}>
                Go to {name}
              </Link>
            )}
          </>
        }
      />
      {again.problem !== null && <ProblemNote problem={again.problem} title="The login could not begin" />}
    </Page>
  );
}

function NothingHere() {
  return (
    <Page title="No login is under way" tab="Login" back={back}>
      <Empty
        drawing={<PlugDrawing />}
        title="This page finishes a login"
        actions={
          <Button component={Link} to="/sources">
            Go to the sources
          </Button>
        }
      >
        Begin one on the page of a source, or connect another source.
      </Empty>
    </Page>
  );
}
