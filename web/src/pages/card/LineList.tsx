// The card's lines, in order: dragged by the handle, or moved with the keyboard or the menu.
import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
  type Announcements,
  type DragEndEvent,
} from "@dnd-kit/core";
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { gone, move, type DraftLine } from "./draft";
import { LineRow } from "./LineRow";
import type { Sources, ValueOf } from "./useSources";
import classes from "./LineList.module.css";

interface Props {
  lines: DraftLine[];
  sources: Sources;
  valueOf: ValueOf;
  open: string | null;
  setOpen: (key: string | null) => void;
  problems: ReadonlyMap<number, string>;
  onChange: (change: (lines: DraftLine[]) => DraftLine[]) => void;
}

export function LineList({ lines, sources, valueOf, open, setOpen, problems, onChange }: Props) {
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const known = sources.all.map((c) => c.id);
  // Lines are moved folded: only then is each as high as the next.
  const end = ({ active, over }: DragEndEvent) => {
    if (over === null || active.id === over.id) return;
    const to = lines.findIndex((l) => l.key === over.id);
    onChange((all) => move(all, String(active.id), to));
  };
  return (
    <>
      <DndContext
        sensors={sensors}
        collisionDetection={closestCenter}
        onDragStart={() => setOpen(null)}
        onDragEnd={end}
        accessibility={{
          announcements: announce(lines),
          screenReaderInstructions: {
            draggable:
              "Press space to take the line, arrow keys to move it, space to put it down, escape to leave it where it was.",
          },
        }}
      >
        <SortableContext items={lines.map((l) => l.key)} strategy={verticalListSortingStrategy}>
          <ol className={classes.lines}>
            {lines.map((line, i) => (
              <LineRow
                key={line.key}
                line={line}
                first={i === 0}
                last={i === lines.length - 1}
                value={valueOf(line.connection_id, line.field)}
                gone={gone(line, sources.known, known)}
                problem={problems.get(i)}
                sources={sources.known}
                open={open === line.key}
                toggle={() => setOpen(open === line.key ? null : line.key)}
                change={(part) => onChange((all) => all.map((l) => (l.key === line.key ? { ...l, ...part } : l)))}
                move={(by) => onChange((all) => move(all, line.key, i + by))}
                remove={() => onChange((all) => all.filter((l) => l.key !== line.key))}
              />
            ))}
          </ol>
        </SortableContext>
      </DndContext>
      <p className={classes.hint}>
        Drag, or press <kbd>Space</kbd> on a handle, then <kbd>↑</kbd> <kbd>↓</kbd>
      </p>
    </>
  );
}

function announce(lines: readonly DraftLine[]): Announcements {
  const label = (id: unknown) => lines.find((l) => l.key === id)?.label ?? "The line";
  const place = (id: unknown) => `${lines.findIndex((l) => l.key === id) + 1} of ${lines.length}`;
  return {
    onDragStart: ({ active }) => `${label(active.id)} is taken, ${place(active.id)}.`,
    onDragOver: ({ active, over }) => (over === null ? undefined : `${label(active.id)} is at ${place(over.id)}.`),
    onDragEnd: ({ active, over }) => `${label(active.id)} is put down${over === null ? "" : ` at ${place(over.id)}`}.`,
    onDragCancel: ({ active }) => `${label(active.id)} is back where it was.`,
  };
}
