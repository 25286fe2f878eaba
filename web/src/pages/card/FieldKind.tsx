// The kind of a field's value, as a sign and as a word.
import {
  IconAbc,
  IconBraces,
  IconCalendar,
  IconCircleDashed,
  IconClock,
  IconHash,
  IconList,
  IconToggleLeft,
  type Icon,
} from "@tabler/icons-react";
import type { Field } from "../../api/queries";

const kinds: Record<Field["kind"], { icon: Icon; word: string }> = {
  text: { icon: IconAbc, word: "Text" },
  number: { icon: IconHash, word: "Number" },
  bool: { icon: IconToggleLeft, word: "Yes or no" },
  date: { icon: IconCalendar, word: "Date" },
  datetime: { icon: IconClock, word: "Date and time" },
  list: { icon: IconList, word: "List" },
  json: { icon: IconBraces, word: "JSON" },
  null: { icon: IconCircleDashed, word: "No value seen yet" },
};

export function kindWord(kind: Field["kind"]): string {
  return kinds[kind].word;
}

export function FieldKind({ kind }: { kind: Field["kind"] }) {
  const { icon: Shape, word } = kinds[kind];
  return (
    <span role="img" aria-label={word} title={word} style={{ display: "inline-flex", flex: "none" }}>
      <Shape size={16} stroke={1.75} color="var(--sc-none)" aria-hidden="true" />
    </span>
  );
}
