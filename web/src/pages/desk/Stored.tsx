// The stored login for those who may not change it: what is there, and for members whether it works.
import { Button } from "@mantine/core";
import { allowed } from "../../api/may";
import { asProblem } from "../../api/problem";
import type { Desk } from "../../api/queries";
import { Note, ProblemNote } from "../../parts/Note";
import type { DeskTesting } from "./test";
import classes from "./Credentials.module.css";

export function Stored({ desk, test }: { desk: Desk; test: DeskTesting }) {
  if (!desk.api_key_set) return <p className="sc-dim">No API key is stored yet.</p>;
  return (
    <div className={classes.form}>
      <p>
        Stored for <strong>{desk.email}</strong>
        {desk.api_key_hint !== undefined && `, with an API key that ends in ${desk.api_key_hint}`}.
      </p>
      {allowed("testDesk") && (
        <div className={classes.actions}>
          <Button variant="default" loading={test.busy} onClick={() => test.run()}>
            Test credentials
          </Button>
        </div>
      )}
      {test.error !== null && !test.busy && <ProblemNote problem={asProblem(test.error)} title="Not tested" />}
      {test.result !== undefined && !test.busy && (
        <Note tone={test.result.ok ? "good" : "bad"} title={test.result.message} live>
          {test.result.fix}
        </Note>
      )}
    </div>
  );
}
