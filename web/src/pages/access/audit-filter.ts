// Which entries of the audit log are listed.

export interface AuditFilter {
  action?: string;
  /** The first and the last day, of the reader's zone, as an input has them ("2026-11-24"). */
  from?: string;
  to?: string;
}

/** filters tells whether a filter may hide anything. */
export function filters(filter: AuditFilter): boolean {
  return filter.action !== undefined || Object.keys(boundsOf(filter)).length > 0;
}

/** backwards tells that the last day is before the first. */
export function backwards(filter: AuditFilter): boolean {
  const { from, to } = boundsOf(filter);
  return from !== undefined && to !== undefined && from >= to;
}

/** boundsOf gives the times that the API takes: from the first day's beginning until before the last day's end. */
export function boundsOf({ from, to }: AuditFilter): { from?: string; to?: string } {
  const bounds: { from?: string; to?: string } = {};
  const [start, end] = [midnight(from, 0), midnight(to, 1)];
  if (start !== undefined) bounds.from = start;
  if (end !== undefined) bounds.to = end;
  return bounds;
}

// A year is often half typed: the API takes four digits, and nothing was written down before the year 1000.
function midnight(day: string | undefined, later: number): string | undefined {
  const [, year, month, date] = /^([1-9]\d{3})-(\d\d)-(\d\d)$/.exec(day ?? "") ?? [];
  if (year === undefined) return undefined;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + later); // a day need not have 24 hours
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
