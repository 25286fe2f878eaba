import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const styles = "node_modules/@mantine/core/styles"; // tests run in web/

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return sources(file);
    return /\.tsx?$/.test(entry.name) ? [readFileSync(file, "utf8")] : [];
  });
}

it("loads the styles of every component in use", () => {
  const loaded = readFileSync("src/look/mantine.css", "utf8");
  const used = sources("src").flatMap((text) =>
    [...text.matchAll(/import \{([^}]*)\} from "@mantine\/core"/g)].flatMap((m) =>
      m[1]!.split(",").map((name) => name.trim()),
    ),
  );
  const styled = [...new Set(used)].filter((name) => existsSync(`${styles}/${name}.layer.css`));
  expect(styled.length).toBeGreaterThan(10);
  expect(styled.filter((name) => !loaded.includes(`/${name}.layer.css`))).toEqual([]);
});
