// How good a password is, by what counts most: its length.
const least = 12;
const enough = 22; // characters at which the meter is full

/** passwordHint gives a word and how far the meter goes. */
export function passwordHint(password: string): { word: string; percent: number } {
  const length = [...password].length;
  const percent = Math.min(100, (length / enough) * 100);
  if (length < least) return { word: "Too short", percent };
  if (new Set(password).size < 6) return { word: "Too uniform", percent: 40 };
  return { word: length < 16 ? "Long enough" : "Strong", percent };
}
