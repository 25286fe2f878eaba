// A key or certificate in PEM form: pasted, or taken from a file.
import { Button, FileButton, Textarea } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { useState, type ChangeEvent, type ReactNode } from "react";
import classes from "./PemArea.module.css";

interface Props {
  name: string;
  title: string;
  label: ReactNode;
  description?: string;
  error?: string;
  placeholder: string;
  value: string;
  onChange: (event: ChangeEvent<HTMLTextAreaElement>) => void;
  take: (pem: string) => void;
}

const largest = 100_000; // bytes: a bundle of authorities is well below

export function PemArea({ title, take, error, ...area }: Props) {
  const [refused, setRefused] = useState<string>();
  const read = async (file: File | null) => {
    if (file === null) return;
    const found = await pemOf(file);
    setRefused(found.refused);
    if (found.pem !== undefined) take(found.pem);
  };
  return (
    <div>
      <Textarea
        {...area}
        error={refused ?? error}
        classNames={{ input: classes.text }}
        autosize
        minRows={3}
        maxRows={8}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => {
          setRefused(undefined);
          area.onChange(e);
        }}
      />
      <FileButton onChange={(file) => void read(file)} accept=".pem,.crt,.cer,.key,.pub,text/plain">
        {(props) => (
          <Button
            {...props}
            className={classes.pick}
            variant="subtle"
            size="compact-md"
            aria-label={`Choose a file: ${title}`}
            leftSection={<IconFileText size={16} stroke={1.75} aria-hidden="true" />}
          >
            Choose a file
          </Button>
        )}
      </FileButton>
    </div>
  );
}

/** pemOf reads a file that holds PEM text, or says why it is none. */
export async function pemOf(file: Blob & { name: string }): Promise<{ pem?: string; refused?: string }> {
  if (file.size > largest) return { refused: `${file.name} is too large for a key or certificate.` };
  const text = await file.text().then(
    (all) => all.trim(),
    () => undefined,
  );
  if (text === undefined) return { refused: `${file.name} could not be read. Choose it again, or paste its text.` };
  if (!/-----BEGIN [A-Z0-9 ]+-----/.test(text)) {
    return { refused: `${file.name} is not in PEM form. Choose the file that begins with -----BEGIN.` };
  }
  return { pem: `${text}\n` };
}
