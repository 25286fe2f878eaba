// Over every page while the tenant is to be deleted.
import { Link } from "@tanstack/react-router";
import { allowed } from "../api/may";
import { currentMe } from "../api/session";
import { Note } from "./Note";
import { Time } from "./Time";
import classes from "./Frame.module.css";

export function Ending() {
  const at = currentMe()?.tenant.delete_at;
  if (at === undefined) return null;
  return (
    <div className={classes.ending}>
      <Note tone="warn" title="This company will be deleted">
        Everything works until <Time at={at} />, then all of it goes.{" "}
        {allowed("cancelDeletion") ? <Link to="/settings/tenant">Call it off</Link> : "An owner can call it off."}
      </Note>
    </div>
  );
}
