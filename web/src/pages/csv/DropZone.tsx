// Takes a file: dropped, or chosen by mouse or keyboard.
import { IconUpload } from "@tabler/icons-react";
import { useId, useState, type DragEvent, type ReactNode } from "react";
import classes from "./DropZone.module.css";

interface Props {
  title: string;
  children: ReactNode;
  disabled?: boolean;
  onFile: (file: File) => void;
}

export function DropZone({ title, children, disabled, onFile }: Props) {
  const [over, setOver] = useState(false);
  const id = useId();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file !== undefined && !disabled) onFile(file);
  };
  return (
    // Dropping is the short cut of those with a mouse; the input inside does the same for everyone.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="group"
      aria-label={title}
      className={classes.zone}
      data-over={over || undefined}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        id={id}
        type="file"
        className={classes.input}
        accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain"
        disabled={disabled}
        aria-describedby={`${id}-text`}
        onChange={(e) => {
          const file = e.currentTarget.files?.[0];
          e.currentTarget.value = ""; // the same file may be chosen again after it was put right
          if (file !== undefined) onFile(file);
        }}
      />
      <label htmlFor={id} className={classes.label}>
        <IconUpload size={24} stroke={1.75} aria-hidden="true" />
        <span>
          <strong>{title}</strong>
          <span id={`${id}-text`} className={classes.text}>
            {children}
          </span>
        </span>
      </label>
    </div>
  );
}
