// How long a password to be is.
import { Progress } from "@mantine/core";
import { plural } from "../parts/text";
import { passwordHint } from "./password";
import classes from "./Form.module.css";

export function Strength({ password }: { password: string }) {
  const hint = passwordHint(password);
  return (
    <div className={classes.strength}>
      <Progress className={classes.meter} size={5} value={hint.percent} aria-label="Length of the password" />
      <span role="status">
        {password === "" ? "At least 12 characters" : `${hint.word}. ${plural([...password].length, "character")}`}
      </span>
    </div>
  );
}
