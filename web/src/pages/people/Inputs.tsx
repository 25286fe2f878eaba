// What the forms of account, team and tenant share: a proof of who one is, and what the API refused.
import { PasswordInput, TextInput, type TextInputProps } from "@mantine/core";
import { asProblem, fieldProblems } from "../../api/problem";
import { ProblemNote } from "../../parts/Note";

interface Proof {
  label?: string;
  value: string;
  change: (value: string) => void;
  error?: string;
  /** Where the keyboard goes when the dialog opens. */
  first?: boolean;
}

const eye = { "aria-label": "Show or hide the password" };

/** The password in use. */
export function CurrentPassword({ label = "Your password", value, change, error, first }: Proof) {
  return (
    <PasswordInput
      label={label}
      required
      autoComplete="current-password"
      maxLength={128}
      data-autofocus={first || undefined}
      visibilityToggleButtonProps={eye}
      value={value}
      error={error}
      onChange={(e) => change(e.currentTarget.value)}
    />
  );
}

export function NewPassword({ value, change, error }: Proof) {
  return (
    <PasswordInput
      label="New password"
      required
      autoComplete="new-password"
      minLength={12}
      maxLength={128}
      visibilityToggleButtonProps={eye}
      value={value}
      error={error}
      onChange={(e) => change(e.currentTarget.value)}
    />
  );
}

/** The code that an authenticator app shows now. */
export function CodeInput({
  value,
  change,
  error,
  first,
  ...rest
}: Proof & Pick<TextInputProps, "description" | "inputMode">) {
  return (
    <TextInput
      label="Code"
      required
      autoComplete="one-time-code"
      spellCheck={false}
      maxLength={32}
      data-autofocus={first || undefined}
      value={value}
      error={error}
      onChange={(e) => change(e.currentTarget.value)}
      {...rest}
    />
  );
}

/** What a form's inputs are told each, from a failed call, and what is left for `FormProblem`. */
export function told(error: Error | null, inputs: readonly string[]) {
  const problem = error && asProblem(error);
  return { problem, ...fieldProblems(problem, inputs) };
}

/** What the API said and no input of the form shows. */
export function FormProblem({ of, title }: { of: ReturnType<typeof told>; title: string }) {
  if (of.problem === null || (of.rest.length === 0 && Object.keys(of.byField).length > 0)) return null;
  return <ProblemNote problem={of.problem} title={title} fields={of.rest} />;
}
