import { describe, expect, it } from "vitest";
import type { ReplayCount } from "../../api/replays";
import { changedText, countText, deed, lasting, moreText, sameText, startedText, tallyText } from "./words";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const counted = (chats: number, ...skipped: number[]): ReplayCount => ({
  chats,
  skipped: skipped.map((n) => ({ reason: "too_old", message: "", chats: n })),
  not_found: [],
  limit: 1000,
  more: false,
});

it("names the deed, its number and the card, while there is one", () => {
  expect(plain(deed(12, 7))).toBe("Replay 12 chats with card v7");
  expect(plain(deed(1, 0))).toBe("Replay 1 chat");
  expect(plain(deed(1000))).toBe("Replay 1,000 chats");
});

describe("the count", () => {
  it("says how many, and how many not", () => {
    expect(plain(countText(counted(12)))).toBe("12 chats will be replayed.");
    expect(plain(countText(counted(12, 3, 2)))).toBe("12 chats will be replayed, 5 left out.");
    expect(plain(countText({ ...counted(1), not_found: ["a"] }))).toBe("1 chat will be replayed, 1 left out.");
  });
  it("says when there is nothing to do", () => {
    expect(countText(counted(0))).toBe("No chat fits this choice.");
    expect(countText(counted(0, 1))).toBe("This chat is left out.");
    expect(plain(countText(counted(0, 2, 1)))).toBe("All 3 chats are left out.");
  });
  it("tells the limit of a call from the limit of a look", () => {
    expect(plain(moreText(counted(1000)))).toMatch(/^More than 1,000 chats fit\. The newest 1,000 are replayed now/);
    expect(plain(moreText(counted(3, 9997)))).toMatch(/^More chats fit than Sidecard looks at/);
  });
  it("explains that a chat and its replays count once", () => {
    expect(sameText(3, counted(1))).toBe("Of a chat and its replays, one is replayed: the chat.");
    expect(sameText(3, counted(1, 2))).toBeUndefined();
    expect(sameText(2, { ...counted(1), not_found: ["a"] })).toBeUndefined();
  });
  it("says what it was and what it is", () => {
    expect(plain(changedText(2, 2))).toMatch(/for a moment and is 2 again\. Nothing was replayed\./);
    expect(plain(changedText(12, 11))).toMatch(/^It was 12 chats .* it is 11 chats now\. Nothing was replayed\./);
    expect(plain(changedText(1, 0))).toMatch(/^It was 1 chat .* no chat is left to replay\. Nothing was replayed\./);
  });
});

it("says how far the replays are, without what is nought", () => {
  expect(startedText(1)).toBe("1 replay started");
  expect(startedText(1000)).toBe("1,000 replays started");
  expect(tallyText({ shown: 7, notShown: 1, onTheWay: 4 })).toBe("7 shown, 1 not shown, 4 on the way");
  expect(tallyText({ shown: 0, notShown: 0, onTheWay: 1 })).toBe("0 shown, 1 on the way");
  expect(tallyText({ shown: 2, notShown: 0, onTheWay: 0 })).toBe("2 shown");
});

it("writes a stretch of time in its largest whole unit", () => {
  expect([600, 60, 90, 7200].map(lasting).map(plain)).toEqual(["10 minutes", "1 minute", "90 seconds", "2 hours"]);
});
