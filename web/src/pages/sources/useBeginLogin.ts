// Leaving for the vendor's login. The button stays busy until the page is gone, and is fresh for those who come back.
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { asProblem, type ProblemError } from "../../api/problem";
import { beginLogin } from "./oauth";

interface Leaving {
  leave: () => void;
  busy: boolean;
  problem: ProblemError | null;
}

/** useBeginLogin leaves for the login of the connection that `connectionId` names or makes. */
export function useBeginLogin(connectionId: () => string | Promise<string>): Leaving {
  const begin = useMutation({ mutationFn: async () => beginLogin(await connectionId()) });
  const { reset } = begin;
  useEffect(() => {
    const back = (event: PageTransitionEvent) => {
      if (event.persisted) reset();
    };
    window.addEventListener("pageshow", back);
    return () => window.removeEventListener("pageshow", back);
  }, [reset]);
  return {
    leave: () => begin.mutate(),
    busy: begin.isPending || begin.isSuccess,
    problem: begin.error && asProblem(begin.error),
  };
}
