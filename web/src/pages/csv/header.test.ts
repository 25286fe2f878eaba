import { describe, expect, it } from "vitest";
import { headerOf, readHeader } from "./header";

describe("headerOf", () => {
  it("finds the sign between the names", () => {
    expect(headerOf("mail,name,tier\na,b,c")).toEqual(["mail", "name", "tier"]);
    expect(headerOf("mail;first, last;tier\r\n1;2;3")).toEqual(["mail", "first, last", "tier"]);
    expect(headerOf("mail\tname\n")).toEqual(["mail", "name"]);
  });
  it("respects quotes and skips empty rows and the byte order mark", () => {
    expect(headerOf('\ufeff\n\n"last, first",mail')).toEqual(["last, first", "mail"]);
  });
  it("takes one column, and nothing of what is no text", () => {
    expect(headerOf("mail")).toEqual(["mail"]);
    expect(headerOf("")).toEqual([]);
    expect(headerOf("PK\u0000\u0003")).toEqual([]);
  });
});

describe("readHeader", () => {
  it("reads UTF-16 with its mark", async () => {
    const text = "mail;navn\n";
    const bytes = new Uint8Array(2 + text.length * 2);
    bytes.set([0xff, 0xfe]);
    [...text].forEach((c, i) => (bytes[2 + i * 2] = c.charCodeAt(0)));
    const file = { slice: () => ({ arrayBuffer: () => Promise.resolve(bytes.buffer) }) } as unknown as Blob;
    expect(await readHeader(file)).toEqual(["mail", "navn"]);
  });
});
