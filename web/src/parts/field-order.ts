// The order in which a record's values are shown.

/** inOrder puts the card's fields first, in its order, then the others as the source has them. */
export function inOrder<T extends { id: string }>(
  fields: readonly T[],
  card: readonly string[],
  catalog: readonly string[],
): T[] {
  const places = new Map<string, number>();
  for (const id of [...card, ...catalog]) if (!places.has(id)) places.set(id, places.size);
  const place = (field: T) => places.get(field.id) ?? places.size;
  return [...fields].sort((a, b) => place(a) - place(b));
}
