// Values to be taken elsewhere: a field with one button, and a short form for ids.
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import classes from "./CopyField.module.css";

const shownFor = 2000; // ms

/** useCopy puts a value on the clipboard and says for a while that it is there. */
export function useCopy(value: string): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = () => {
    void toClipboard(value).then((done) => {
      if (!done) return;
      setCopied(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(false), shownFor);
    });
  };
  return { copied, copy };
}

async function toClipboard(value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return byHand(value); // no clipboard outside a secure context
  }
}

function byHand(value: string): boolean {
  const area = document.createElement("textarea");
  area.value = value;
  area.setAttribute("aria-hidden", "true");
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  const focused = document.activeElement;
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

interface CopyFieldProps {
  label: ReactNode;
  /** What the label names, for "Copy the …". */
  name: string;
  value: string;
  /** What is wrong with the value as it was last used. */
  warning?: string;
}

export function CopyField({ label, name, value, warning }: CopyFieldProps) {
  const { copied, copy } = useCopy(value);
  const id = useId();
  return (
    <div>
      <div className={classes.label} id={id}>
        {label}
      </div>
      <div className={classes.field} data-warn={warning !== undefined || undefined}>
        <code className={classes.value} aria-labelledby={id} role="group">
          {value}
        </code>
        <button
          type="button"
          className={classes.button}
          onClick={copy}
          aria-label={copied ? undefined : `Copy the ${name}`}
        >
          {copied ? (
            <IconCheck size={16} stroke={1.75} aria-hidden="true" />
          ) : (
            <IconCopy size={16} stroke={1.75} aria-hidden="true" />
          )}
          {copied ? "Copied" : "Copy"}
        </button>
      </div>
      {warning !== undefined && <p className={classes.warning}>{warning}</p>}
      <span className="sc-sr" role="status">
        {copied ? `The ${name} is copied.` : ""}
      </span>
    </div>
  );
}

/** An id in running text, copied whole by a click. */
export function CopyId({ value, name, short }: { value: string; name: string; short?: string }) {
  const { copied, copy } = useCopy(value);
  return (
    <button type="button" className={classes.id} onClick={copy} title={`Copy the ${name}: ${value}`}>
      <code>{short ?? value}</code>
      {copied ? (
        <IconCheck size={15} stroke={1.75} aria-hidden="true" />
      ) : (
        <IconCopy size={15} stroke={1.75} aria-hidden="true" />
      )}
      <span className="sc-sr" role="status">
        {copied ? `The ${name} is copied.` : ""}
      </span>
    </button>
  );
}
