// What a browser calls itself, in two words.
const browsers: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/[\d.]+ .*Safari\//, "Safari"],
];
const systems: readonly [RegExp, string][] = [
  [/\b(?:iPhone|iPod)\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

const longest = 60; // characters of a program's own words

/** clientName makes "Firefox on Linux" of a User-Agent header. A program's own name stays as it is. */
export function clientName(agent: string): string {
  const of = (known: readonly [RegExp, string][]) => known.find(([sign]) => sign.test(agent))?.[1];
  const browser = of(browsers);
  const system = of(systems);
  if (browser === undefined) {
    const own = agent.trim();
    if (own === "") return "A program that did not say its name";
    return own.length > longest ? `${own.slice(0, longest)}…` : own;
  }
  return system === undefined ? browser : `${browser} on ${system}`;
}
