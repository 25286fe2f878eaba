// A time in the reader's zone, with the exact UTC time on hover.
import { clock, moment, utc } from "./text";

export function Time({ at, precise }: { at: string; precise?: boolean }) {
  const date = new Date(at);
  const text = precise ? `${clock(date)}.${String(date.getMilliseconds()).padStart(3, "0")}` : moment(date);
  return (
    <time dateTime={at} title={utc(date)}>
      {text}
    </time>
  );
}
