// Text to run elsewhere, such as SQL: as it is, with one button that takes all of it along.
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useCopy } from "./CopyField";
import classes from "./Script.module.css";

/** `name` says what the text is, for "Copy the …". */
export function Script({ text, name }: { text: string; name: string }) {
  const { copied, copy } = useCopy(text);
  const Shape = copied ? IconCheck : IconCopy;
  return (
    <div className={classes.script}>
      {/* A long line is scrolled to, and the keyboard has to get there too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={classes.text} tabIndex={0} role="group" aria-label={`The ${name}`}>
        <code>{text}</code>
      </pre>
      <button
        type="button"
        className={classes.button}
        onClick={copy}
        aria-label={copied ? undefined : `Copy the ${name}`}
      >
        <Shape size={16} stroke={1.75} aria-hidden="true" />
        {copied ? "Copied" : "Copy"}
      </button>
      <span className="sc-sr" role="status">
        {copied ? `The ${name} is copied.` : ""}
      </span>
    </div>
  );
}
