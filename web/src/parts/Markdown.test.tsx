// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { Markdown } from "./Markdown";

function shown(text: string): HTMLElement {
  return render(<Markdown text={text} />).container;
}

it("shows headings below the page's own, lists, code and links", () => {
  const page = shown(
    "# Login\n\n1. Run `psql`\n2. Look at **this**\n\n```sql\nselect 1;\n```\n\n[Manual](https://example.com/)",
  );
  expect(page.querySelector("h1, h2")).toBeNull();
  expect(screen.getByRole("heading", { level: 3, name: "Login" })).toBeTruthy();
  expect(page.querySelectorAll("ol > li")).toHaveLength(2);
  expect(page.querySelector("pre")?.textContent).toBe("select 1;");
  expect(screen.getByRole("link", { name: "Manual" }).getAttribute("rel")).toBe("noreferrer");
});

it("shows HTML as text and makes no link of a script", () => {
  const page = shown(
    '<img src=x onerror="alert(1)">\n\nA <b>bold</b> [trap](javascript:alert(1)) and ![pic](https://x/y.png)',
  );
  expect(page.querySelector("img, b, a, script")).toBeNull();
  expect(page.textContent).toContain('<img src=x onerror="alert(1)">');
  expect(page.textContent).toContain("trap");
});

it("shows the signs that Markdown escapes", () => {
  expect(shown('a < b & c > d, "e" and it\'s \\*not\\* it').textContent).toBe('a < b & c > d, "e" and it\'s *not* it');
});
