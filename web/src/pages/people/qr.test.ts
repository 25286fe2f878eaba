import { expect, it } from "vitest";
import { qrPath } from "./qr";

it("draws a code with its three finders inside four modules of white", () => {
  const { size, path } = qrPath("otpauth://totp/Sidecard:dana@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Sidecard");
  const dark = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let i = 0; i < Number(width); i++) dark[Number(y)]![Number(x) + i] = true;
  }
  const at = (x: number, y: number) =>
    dark[y]!.slice(x, x + 7)
      .map((d) => (d ? "#" : "."))
      .join("");
  const far = size - 4 - 7;
  for (const [x, y] of [
    [4, 4],
    [far, 4],
    [4, far],
  ] as const) {
    expect([0, 1, 2, 3, 4, 5, 6].map((row) => at(x, y + row))).toEqual([
      "#######",
      "#.....#",
      "#.###.#",
      "#.###.#",
      "#.###.#",
      "#.....#",
      "#######",
    ]);
  }
  const edge = [0, 1, 2, 3, size - 4, size - 3, size - 2, size - 1];
  expect(edge.some((i) => dark[i]!.includes(true) || dark.some((row) => row[i]))).toBe(false);
});
