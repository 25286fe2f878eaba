import { expect, it } from "vitest";
import { dayText, level, percent, usedText } from "./plan";

it("warns from 80 percent on and says when nothing is left", () => {
  expect(level({ used: 399, limit: 500 })).toBe("free");
  expect(level({ used: 400, limit: 500 })).toBe("near");
  expect(level({ used: 499, limit: 500 })).toBe("near");
  expect(level({ used: 500, limit: 500 })).toBe("full");
  expect(level({ used: 700, limit: 500 })).toBe("full");
});

it("never warns where there is no limit", () => {
  expect(level({ used: 1e9 })).toBe("free");
  expect(usedText({ used: 1200 })).toBe("1,200, no limit");
});

it("fills a bar to its end and no further, and only once all is used", () => {
  expect(percent({ used: 499, limit: 500 })).toBe(99);
  expect(percent({ used: 700, limit: 500 })).toBe(100);
  expect(usedText({ used: 700, limit: 500 })).toBe("700 of 500");
});

it("names a day as it is in UTC", () => {
  expect(dayText("2026-03-14")).toBe("14 Mar");
});
