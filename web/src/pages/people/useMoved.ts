// Where the keyboard goes when a part of a page gives way to another.
import { useEffect, useRef } from "react";

/** useMoved gives a ref for what changes with `stage`; after each change its first input, or button, has the focus. */
export function useMoved(stage: string) {
  const place = useRef<HTMLDivElement>(null);
  const was = useRef(stage);
  useEffect(() => {
    if (stage === was.current) return;
    was.current = stage;
    const first = (kind: string) => place.current?.querySelector<HTMLElement>(kind);
    (first("input:not([hidden])") ?? first("button"))?.focus();
  }, [stage]);
  return place;
}
