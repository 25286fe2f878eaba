// The customer's address that was looked up last, offered wherever one can be tried. Kept while this member is
// signed in, in memory only: it is not ours.
import { onSignedOut } from "./session";

let email: string | undefined;

/** triedVisitor is the address typed last, if there was one. */
export function triedVisitor(): string | undefined {
  return email;
}

/** rememberVisitor keeps an address for the next look. */
export function rememberVisitor(typed: string): void {
  email = typed;
}

onSignedOut(() => {
  email = undefined;
});
