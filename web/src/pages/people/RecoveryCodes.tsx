// Recovery codes, shown once: to be copied or saved as a file before they are gone.
import { Button } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useCopy } from "../../parts/CopyField";
import { Note } from "../../parts/Note";
import { plural } from "../../parts/text";
import classes from "./people.module.css";

interface Props {
  codes: readonly string[];
  /** Whose they are, for the file. */
  email: string;
  done: () => void;
}

export function RecoveryCodes({ codes, email, done }: Props) {
  const { copied, copy } = useCopy(codes.join("\n"));
  const [saved, setSaved] = useState(false);
  const save = () => {
    download("sidecard-recovery-codes.txt", fileText(codes, email));
    setSaved(true);
  };
  const Shape = copied ? IconCheck : IconCopy;
  return (
    <div className={classes.stack}>
      <Note tone="warn" title="Keep these recovery codes. They are not shown again" live>
        The second factor is on. Without your phone, each of these {plural(codes.length, "code")} signs you in once.
        Keep them where your phone is not, such as in a password manager or on paper.
      </Note>
      <ol className={classes.codes} aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className={classes.buttons}>
        <Button
          variant="default"
          leftSection={<Shape size={16} stroke={1.75} aria-hidden="true" />}
          aria-label={copied ? undefined : "Copy the codes"}
          onClick={copy}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
        <Button
          variant="default"
          leftSection={<IconDownload size={16} stroke={1.75} aria-hidden="true" />}
          aria-label="Download the codes"
          onClick={save}
        >
          Download
        </Button>
        <Button onClick={done}>I have kept them</Button>
      </div>
      <span className="sc-sr" role="status">
        {copied ? "The codes are copied." : saved ? "The codes are saved as a file." : ""}
      </span>
    </div>
  );
}

/** fileText is what the file says, so that it is understood years later. */
export function fileText(codes: readonly string[], email: string): string {
  return `Recovery codes of ${email} at Sidecard. Each signs in once, in place of the app's code.\r\n\r\n${codes.join("\r\n")}\r\n`;
}

function download(name: string, text: string) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address)); // the browser has taken it up by then
}
