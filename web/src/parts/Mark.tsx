// The mark: an open chat bubble in ink with a marigold card at its lower right.
import classes from "./Mark.module.css";

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
      <path
        d="M24.5 8.5V6.6A3.6 3.6 0 0 0 20.9 3H6.1a3.6 3.6 0 0 0-3.6 3.6v16.3V29l5.2-4.6h2.6"
        stroke="currentColor"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <rect x="13.5" y="12" width="16.5" height="17" rx="3" fill="var(--sc-mark)" />
      <path d="M18 18h7.6M18 23h4.6" stroke="var(--sc-mark-text)" strokeWidth="2.4" strokeLinecap="round" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className={classes.word}>
      <Mark />
      sidecard
    </span>
  );
}
