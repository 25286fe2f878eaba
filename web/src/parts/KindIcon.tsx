// The sign of a kind of source.
import { IconAddressBook, IconApi, IconDatabase, IconPlug, IconTable, type Icon } from "@tabler/icons-react";

const icons: Record<string, Icon> = {
  postgres: IconDatabase,
  mysql: IconDatabase,
  csv: IconTable,
  hubspot: IconAddressBook,
  http: IconApi,
};

export function KindIcon({ kind, size = 18 }: { kind: string; size?: number }) {
  const Shape = icons[kind] ?? IconPlug;
  return <Shape size={size} stroke={1.75} color="var(--sc-none)" aria-hidden="true" style={{ flex: "none" }} />;
}
