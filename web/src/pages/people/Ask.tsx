// Asks once before something is taken from somebody: says what stops, and does it.
import { Button, Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { asProblem } from "../../api/problem";
import { ProblemNote } from "../../parts/Note";
import classes from "./people.module.css";

interface AskProps<T> {
  /** What it is about; the dialog is open while there is something. */
  about: T | undefined;
  close: () => void;
  title: (about: T) => string;
  /** What happens then. */
  children: (about: T) => ReactNode;
  /** The words of the two buttons. */
  action: string;
  keep?: string;
  act: (about: T) => Promise<unknown>;
  /** Whether it worked or not: a refusal may mean that somebody else was faster. */
  settled?: () => unknown;
  /** Heads the problem: "Not removed". */
  failed: string;
}

export function Ask<T>({ about, close, title, ...question }: AskProps<T>) {
  const [shown, setShown] = useState(about); // stays to be seen while the dialog closes
  const [times, setTimes] = useState(0); // each opening begins without the last one's problem
  if (about !== undefined && about !== shown) setShown(about);
  return (
    <Modal
      opened={about !== undefined}
      onClose={close}
      onExitTransitionEnd={() => setTimes(times + 1)}
      title={shown === undefined ? "" : title(shown)}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {shown !== undefined && <Question key={times} about={shown} close={close} {...question} />}
    </Modal>
  );
}

function Question<T>({
  about,
  close,
  children,
  action,
  keep = "Cancel",
  act,
  settled,
  failed,
}: Omit<AskProps<T>, "about" | "title"> & { about: T }) {
  const acting = useMutation({
    mutationFn: () => act(about),
    onSuccess: close,
    onSettled: () => void settled?.(),
  });
  return (
    <div className={classes.question}>
      {children(about)}
      {acting.error !== null && <ProblemNote problem={asProblem(acting.error)} title={failed} />}
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          {keep}
        </Button>
        <Button color="vermilion" loading={acting.isPending} onClick={() => acting.mutate()}>
          {action}
        </Button>
      </div>
    </div>
  );
}
