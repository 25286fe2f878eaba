// Setting up a second factor: the password, then the app's code. Only the right code puts it into use.
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data, type Schemas } from "../../api/client";
import { CopyField } from "../../parts/CopyField";
import { CodeInput, CurrentPassword, FormProblem, told } from "./Inputs";
import { qrPath } from "./qr";
import { useMoved } from "./useMoved";
import classes from "./people.module.css";

interface Props {
  /** Takes the recovery codes; the factor is in use. */
  on: (codes: readonly string[]) => void;
  cancel: () => void;
}

export function FactorSetup({ on, cancel }: Props) {
  const [password, setPassword] = useState("");
  const begin = useMutation({
    mutationFn: () => data(api.POST("/api/v1/me/second-factor", { body: { password } })),
    gcTime: 0, // the secret is nowhere else once this is left
  });
  const place = useMoved(begin.data === undefined ? "password" : "code");
  const problem = told(begin.error, ["password"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    begin.mutate();
  };
  return (
    <div ref={place}>
      {begin.data !== undefined ? (
        <Confirm factor={begin.data} on={on} cancel={cancel} />
      ) : (
        <form onSubmit={submit} className={classes.form}>
          <p>You need an authenticator app, such as the one of your password manager. First show that it is you.</p>
          <FormProblem of={problem} title="Not begun" />
          <CurrentPassword value={password} change={setPassword} error={problem.byField.password} />
          <div className={classes.buttons}>
            <Button type="submit" loading={begin.isPending}>
              Go on
            </Button>
            <Button variant="subtle" onClick={cancel}>
              Cancel
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

function Confirm({ factor, on, cancel }: Props & { factor: Schemas["SecondFactor"] }) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () => data(api.POST("/api/v1/me/second-factor/confirm", { body: { code: code.replaceAll(" ", "") } })),
    onSuccess: ({ codes }) => on(codes),
    gcTime: 0,
  });
  const problem = told(confirm.error, ["code"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate();
  };
  return (
    <div className={classes.setup}>
      <QrCode text={factor.uri} />
      <div>
        <p>Scan this with your authenticator app. Where that does not work, type the secret into the app:</p>
        <CopyField label="Secret, shown this once" name="secret" value={factor.secret} />
        <form onSubmit={submit} className={classes.form}>
          <FormProblem of={problem} title="Not in use yet" />
          <CodeInput
            description="The six digits that the app shows for Sidecard now."
            inputMode="numeric"
            value={code}
            change={setCode}
            error={problem.byField.code}
          />
          <div className={classes.buttons}>
            <Button type="submit" loading={confirm.isPending}>
              Use it from now on
            </Button>
            <Button variant="subtle" onClick={cancel}>
              Cancel
            </Button>
          </div>
        </form>
      </div>
    </div>
  );
}

function QrCode({ text }: { text: string }) {
  const { size, path } = qrPath(text);
  return (
    <svg
      className={classes.qr}
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label="QR code for the authenticator app. The secret beside it says the same."
    >
      <path d={path} fill="currentColor" />
    </svg>
  );
}
