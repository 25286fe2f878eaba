import { expect, it } from "vitest";
import { inOrder } from "./field-order";

const of = (...ids: string[]) => ids.map((id) => ({ id }));

it("shows the card's fields first, then the others as the source has them, then what neither names", () => {
  const sorted = inOrder(of("a", "b", "c", "d", "x"), ["d", "b"], ["c", "b", "a"]);
  expect(sorted.map((f) => f.id)).toEqual(["d", "b", "c", "a", "x"]);
  expect(inOrder(of("b", "a"), [], []).map((f) => f.id)).toEqual(["b", "a"]);
});
