// Line drawings for pages that have nothing to show: a ground line, and exactly one card.
import type { ReactNode } from "react";

function Drawing({ children }: { children: ReactNode }) {
  return (
    <svg
      width="172"
      height="88"
      viewBox="0 0 172 88"
      fill="none"
      stroke="var(--sc-none)"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d="M4 80h164" />
      {children}
    </svg>
  );
}

function SmallCard({ x, y, turn = 0 }: { x: number; y: number; turn?: number }) {
  return (
    <g transform={`translate(${x} ${y}) rotate(${turn} 24 19)`}>
      <path d="M4 0h40a4 4 0 0 1 4 4v30a4 4 0 0 1-4 4H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4Z" fill="var(--sc-card-paper)" />
      <path d="M4 0h40a4 4 0 0 1 4 4v5H0V4a4 4 0 0 1 4-4Z" fill="var(--sc-mark)" />
      <path d="M9 18h30M9 24h20M9 30h25" />
    </g>
  );
}

/** A chat with its card. */
export function ChatDrawing() {
  return (
    <Drawing>
      <path d="M112 34V10a5 5 0 0 0-5-5H33a5 5 0 0 0-5 5v60l12-10h54" />
      <path d="M42 22h52M42 34h34" />
      <SmallCard x={100} y={36} />
    </Drawing>
  );
}

/** A drawer of files and a glass: looked, and not there. */
export function SearchDrawing() {
  return (
    <Drawing>
      <SmallCard x={26} y={36} turn={-4} />
      <path d="M92 80V34h40v46M92 50h40M92 65h40M107 42h10M107 57h10M107 72h10" />
      <circle cx="136" cy="20" r="14" fill="var(--sc-sheet)" />
      <path d="m146 30 14 13" />
    </Drawing>
  );
}

/** A plug and a socket, and the card behind. */
export function PlugDrawing() {
  return (
    <Drawing>
      <path d="M4 54h22c16 0 12-20 26-20h8M60 22v24h8c8 0 13-5 13-12s-5-12-13-12ZM82 30h6M82 38h6M104 22v24h-4c-7 0-12-5-12-12s5-12 12-12ZM104 34h14" />
      <SmallCard x={118} y={16} />
    </Drawing>
  );
}

/** A sheet of rows on its way into the card. */
export function FileDrawing() {
  return (
    <Drawing>
      <path d="M26 80V14a4 4 0 0 1 4-4h34l14 14v56" />
      <path d="M64 10v14h14M36 38h32M36 48h32M36 58h32M50 38v20" />
      <path d="M88 46h16m-6-6 6 6-6 6" />
      <SmallCard x={112} y={28} />
    </Drawing>
  );
}
