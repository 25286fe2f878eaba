// One line of the card: its summary, and when it is open its editor.
import { ActionIcon, Button, Checkbox, Menu, Select, TextInput } from "@mantine/core";
import { useSortable } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { IconArrowDown, IconArrowUp, IconDots, IconGripVertical, IconTrash } from "@tabler/icons-react";
import type { CardLine } from "../../api/queries";
import { Note } from "../../parts/Note";
import { Status } from "../../parts/Status";
import { formats, type DraftLine, type SourceFields } from "./draft";
import { FieldSelect } from "./FieldSelect";
import classes from "./LineList.module.css";

interface Props {
  line: DraftLine;
  first: boolean;
  last: boolean;
  value: string | undefined;
  gone: boolean;
  problem: string | undefined;
  sources: readonly SourceFields[];
  open: boolean;
  toggle: () => void;
  change: (part: Partial<CardLine>) => void;
  move: (by: number) => void;
  remove: () => void;
}

export function LineRow(props: Props) {
  const { line, first, last, value, gone, problem, open, toggle, move, remove } = props;
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({
    id: line.key,
  });
  const name = line.label.trim() || "this line";
  return (
    <li
      ref={setNodeRef}
      className={classes.line}
      data-open={open || undefined}
      data-dragged={isDragging || undefined}
      style={{ transform: CSS.Transform.toString(transform && { ...transform, scaleX: 1, scaleY: 1 }), transition }}
    >
      <div className={classes.row}>
        <button
          type="button"
          ref={setActivatorNodeRef}
          {...attributes}
          {...listeners}
          className={classes.handle}
          aria-label={`Move ${name}`}
        >
          <IconGripVertical size={18} stroke={1.75} aria-hidden="true" />
        </button>
        <button type="button" className={classes.summary} aria-expanded={open} onClick={toggle}>
          <span className={classes.label}>{line.label.trim() || <span className="sc-dim">no label</span>}</span>
          <span className={classes.value}>{shown(value, line)}</span>
          <span className={classes.format}>
            {gone ? <Status name="gone" /> : problem !== undefined ? <Status name="warning" /> : howText(line)}
          </span>
        </button>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size={32} aria-label={`More for ${name}`}>
              <IconDots size={18} stroke={1.75} color="var(--sc-ink)" aria-hidden="true" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              disabled={first}
              leftSection={<IconArrowUp size={16} stroke={1.75} aria-hidden="true" />}
              onClick={() => move(-1)}
            >
              Move up
            </Menu.Item>
            <Menu.Item
              disabled={last}
              leftSection={<IconArrowDown size={16} stroke={1.75} aria-hidden="true" />}
              onClick={() => move(1)}
            >
              Move down
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item leftSection={<IconTrash size={16} stroke={1.75} aria-hidden="true" />} onClick={remove}>
              Remove
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      {gone && !open && (
        <div className={classes.note}>
          <Note
            tone="warn"
            title={`“${line.field}” is gone from its source`}
            actions={
              <>
                <Button size="compact-md" variant="default" onClick={toggle}>
                  Pick another field
                </Button>
                <Button size="compact-md" variant="subtle" onClick={remove}>
                  Remove the line
                </Button>
              </>
            }
          >
            {line.fallback ? `“${name}” now always shows “${line.fallback}”.` : `“${name}” stays empty until then.`}
          </Note>
        </div>
      )}
      {open && <Editor {...props} />}
    </li>
  );
}

function shown(value: string | undefined, line: CardLine) {
  if (value === undefined) return <span className="sc-dim sc-mono">{line.field}</span>;
  return value === "" ? <span className="sc-dim">{line.fallback || "empty"}</span> : value;
}

function howText(line: CardLine): string {
  if (line.fallback) return `or “${line.fallback}”`;
  const format = formats.find((f) => f.value === (line.format ?? "text"))?.label ?? "Text";
  return line.hide_if_empty === false ? `${format}, always` : format;
}

function Editor({ line, first, last, gone, problem, sources, change, move, remove }: Props) {
  return (
    <div className={classes.editor}>
      <div className={classes.pair}>
        <TextInput
          label="Label"
          value={line.label}
          maxLength={60}
          error={problem ?? (line.label.trim() === "" ? "The agent reads this: give it a name." : undefined)}
          onChange={(e) => change({ label: e.currentTarget.value })}
          data-autofocus
        />
        <FieldSelect line={line} gone={gone} sources={sources} pick={change} />
      </div>
      <div className={classes.pair}>
        <Select
          label="Format"
          data={formats}
          value={line.format ?? "text"}
          onChange={(v) => change({ format: (v ?? "text") as CardLine["format"] })}
        />
        <TextInput
          label="If it is empty, show"
          placeholder="nothing"
          maxLength={200}
          value={line.fallback ?? ""}
          onChange={(e) => change({ fallback: e.currentTarget.value })}
        />
      </div>
      <div className={classes.end}>
        <Checkbox
          label="Hide the line if it is empty"
          checked={(line.hide_if_empty ?? true) && !line.fallback}
          disabled={Boolean(line.fallback)}
          onChange={(e) => change({ hide_if_empty: e.currentTarget.checked })}
        />
        <span>
          <ActionIcon variant="subtle" size={32} aria-label="Move up" disabled={first} onClick={() => move(-1)}>
            <IconArrowUp size={18} stroke={1.75} aria-hidden="true" />
          </ActionIcon>
          <ActionIcon variant="subtle" size={32} aria-label="Move down" disabled={last} onClick={() => move(1)}>
            <IconArrowDown size={18} stroke={1.75} aria-hidden="true" />
          </ActionIcon>
          <ActionIcon variant="subtle" size={32} aria-label="Remove the line" onClick={remove}>
            <IconTrash size={18} stroke={1.75} aria-hidden="true" />
          </ActionIcon>
        </span>
      </div>
    </div>
  );
}
