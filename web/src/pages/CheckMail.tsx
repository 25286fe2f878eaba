// After something was mailed: what to do, the same whether or not the address has an account.
import { Link } from "@tanstack/react-router";
import { Door } from "./Door";
import classes from "./Form.module.css";

export function CheckMail({ email }: { email: string }) {
  return (
    <Door
      tab="Check your mail"
      title="Check your mail"
      lead={`We sent a mail to ${email}. Follow its link within 30 minutes to go on.`}
      other={<Link to="/signin">Back to signing in</Link>}
    >
      <div role="status" className={classes.form}>
        <p className={classes.small}>
          Nothing there after a minute? Look into the spam folder, and check the address above for a typing mistake.
        </p>
      </div>
    </Door>
  );
}
