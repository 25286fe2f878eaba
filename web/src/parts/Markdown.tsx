// Shows a connector's guide. Markdown becomes React elements, never HTML text, so nothing in it can run.
import { lexer, type Token, type Tokens } from "marked";
import { Fragment, useMemo, type ReactNode } from "react";
import { CopyId } from "./CopyField";
import classes from "./Markdown.module.css";

export function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => lexer(text), [text]);
  return <div className={classes.text}>{blocks(tokens)}</div>;
}

function blocks(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, i) => <Fragment key={i}>{block(token)}</Fragment>);
}

function block(token: Token): ReactNode {
  switch (token.type) {
    case "heading":
      // The page has its h1 and the guide its h2: what the guide's author starts with comes below them.
      return (token as Tokens.Heading).depth <= 2 ? <h3>{inline(token.tokens)}</h3> : <h4>{inline(token.tokens)}</h4>;
    case "paragraph":
      return <p>{inline(token.tokens)}</p>;
    case "list":
      return list(token as Tokens.List);
    case "code":
      return (
        <div className={classes.code}>
          <pre>{(token as Tokens.Code).text}</pre>
          <CopyId value={(token as Tokens.Code).text} name="lines" short="Copy" />
        </div>
      );
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [])}</blockquote>;
    case "table":
      return table(token as Tokens.Table);
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    default:
      return <p>{inline(token.type === "text" ? (token.tokens ?? [token]) : [token])}</p>;
  }
}

function list(token: Tokens.List): ReactNode {
  const items = token.items.map((item, i) => (
    <li key={i}>
      {item.loose
        ? blocks(item.tokens)
        : item.tokens.map((t, j) => (
            <Fragment key={j}>{t.type === "text" ? inline((t as Tokens.Text).tokens ?? [t]) : block(t)}</Fragment>
          ))}
    </li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function table(token: Tokens.Table): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          {token.header.map((cell, i) => (
            <th key={i} scope="col">
              {inline(cell.tokens)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{inline(cell.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inline(tokens: readonly Token[] | undefined): ReactNode {
  return (tokens ?? []).map((token, i) => <Fragment key={i}>{span(token)}</Fragment>);
}

function span(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens)}</strong>;
    case "em":
      return <em>{inline(token.tokens)}</em>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return link(token as Tokens.Link);
    case "escape":
      return (token as Tokens.Escape).text;
    case "text":
      return token.tokens ? inline(token.tokens) : unescaped((token as Tokens.Text).text);
    default:
      return token.raw; // HTML, pictures and what else there is are shown as they were written
  }
}

// Only the web and pages of this portal; "javascript:" and the like stay text.
function link(token: Tokens.Link): ReactNode {
  if (/^https?:\/\//i.test(token.href)) {
    return (
      <a href={token.href} target="_blank" rel="noreferrer">
        {inline(token.tokens)}
      </a>
    );
  }
  return /^\/(?!\/)/.test(token.href) ? <a href={token.href}>{inline(token.tokens)}</a> : inline(token.tokens);
}

const entities: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity);
}
