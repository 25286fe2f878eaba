import { describe, expect, it } from "vitest";
import { ageText, initials, listed, maskEmail, moment, ms, msText, plural, untitled, utc } from "./text";

describe("maskEmail", () => {
  it("keeps the first character and the domain", () => {
    expect(maskEmail("maya@lindqvist.se")).toBe("m…@lindqvist.se");
  });
  it("hides as much of an address of one letter", () => {
    expect(maskEmail("m@lindqvist.se")).toBe("m…@lindqvist.se");
  });
  it("cuts at the last @ and never inside a character", () => {
    expect(maskEmail('"a@b"@c.se')).toBe('"…@c.se');
    expect(maskEmail("𝓂aya@c.se")).toBe("𝓂…@c.se");
  });
  it("shows no more than one character of what is no address", () => {
    expect(maskEmail("maya")).toBe("m…");
    expect(maskEmail("")).toBe("");
  });
});

describe("numbers", () => {
  it("binds the unit to the number", () => {
    expect(msText(412.4)).toBe("412\u00a0ms");
    expect(msText(1140)).toBe("1,140\u00a0ms");
    expect(plural(1, "row")).toBe("1\u00a0row");
    expect(plural(51066, "row")).toBe("51,066\u00a0rows");
    expect(plural(2, "entry", "entries")).toBe("2\u00a0entries");
  });
  it("does not round a short time to nothing", () => {
    expect(ms(0.3)).toBe("<1");
    expect(ms(0)).toBe("0");
  });
});

describe("times", () => {
  const now = new Date(2026, 10, 24, 14, 7, 52);
  it("gives the date only when it was not today", () => {
    expect(moment(new Date(2026, 10, 24, 9, 5, 3), now)).toBe("09:05:03");
    expect(moment(new Date(2026, 10, 18, 9, 12), now)).toBe("18 Nov, 09:12");
    expect(moment(new Date(2025, 10, 18, 9, 12), now)).toBe("18 Nov 2025, 09:12");
  });
  it("writes the exact time in UTC", () => {
    expect(utc(new Date("2026-11-24T13:02:07.412Z"))).toBe("2026-11-24 13:02:07.412 UTC");
  });
});

describe("words", () => {
  it("joins as a sentence does", () => {
    expect(listed([])).toBe("");
    expect(listed(["Postgres"])).toBe("Postgres");
    expect(listed(["Postgres", "HubSpot", "CSV"])).toBe("Postgres, HubSpot and CSV");
  });
  it("drops a heading's full stop and nothing else", () => {
    expect(untitled("Details shown to the agent in 412 ms.")).toBe("Details shown to the agent in 412 ms");
    expect(untitled("Waiting…")).toBe("Waiting…");
  });
  it("takes the first and the last name", () => {
    expect(initials("Dana Maria Okafor")).toBe("DO");
    expect(initials("dana")).toBe("D");
    expect(initials(" ")).toBe("");
  });
});

it("says roughly how old something is", () => {
  expect(
    [300, 59_000, 60_000, 719_999, 3_600_000, 90_000_000].map((age) => ageText(age).replace("\u00a0", " ")),
  ).toEqual(["1 s old", "59 s old", "1 min old", "11 min old", "1 h old", "25 h old"]);
});
