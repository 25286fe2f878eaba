// Reads the first row of a file in the browser, to offer its columns when the server could not tell which of
// them holds the address.
const enough = 64 * 1024; // bytes: a header longer than that is none

/** readHeader gives the names in the file's first row; none when the file is no text. */
export async function readHeader(file: Blob): Promise<string[]> {
  const bytes = new Uint8Array(await file.slice(0, enough).arrayBuffer());
  return headerOf(new TextDecoder(encodingOf(bytes)).decode(bytes));
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return "utf-8";
}

/** headerOf splits the first row that holds anything, at the sign it has most of. Quotes are respected. */
export function headerOf(text: string): string[] {
  const row = firstRow(text.replace(/^\ufeff/, ""));
  if (row === "" || row.includes("\u0000")) return [];
  const splits = [",", ";", "\t", "|"].map((sign) => split(row, sign));
  return splits.reduce((best, next) => (next.length > best.length ? next : best));
}

function firstRow(text: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  return lines.find((line) => line.trim() !== "") ?? "";
}

function split(row: string, sign: string): string[] {
  const names: string[] = [];
  let name = "";
  let quoted = false;
  for (const char of row) {
    if (char === '"') quoted = !quoted;
    else if (char === sign && !quoted) {
      names.push(name.trim());
      name = "";
    } else name += char;
  }
  return [...names, name.trim()];
}
