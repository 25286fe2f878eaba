// A QR code as one SVG path.
import { encode } from "uqr";

const quiet = 4; // modules of white around a code, as ISO/IEC 18004 asks

/** qrPath gives a path in a square of `size` modules, the quiet zone included. */
export function qrPath(text: string): { size: number; path: string } {
  const { size, data } = encode(text, { ecc: "M", border: 0 });
  const runs: string[] = [];
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < size; x++) {
      if (!row[x]) continue;
      const from = x;
      while (x < size && row[x]) x++;
      runs.push(`M${from + quiet} ${y + quiet}h${x - from}v1h-${x - from}z`);
    }
  }
  return { size: size + 2 * quiet, path: runs.join("") };
}
