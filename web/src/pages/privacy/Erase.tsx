// Erases what is kept of one visitor, who is named by address or by visitor id, and says how much that was.
import { Button, Radio, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { allowed } from "../../api/may";
import { api, data, type Schemas } from "../../api/client";
import { Note } from "../../parts/Note";
import { listed, plural } from "../../parts/text";
import { Ask } from "../people/Ask";
import classes from "../people/people.module.css";

type By = "email" | "visitor_id";
type Erased = Schemas["Erasure"];

const names: Record<By, { label: string; hint: string }> = {
  email: { label: "E-mail address", hint: "customer@example.com" },
  visitor_id: { label: "Visitor id", hint: "As on the chat’s page" },
};

export function Erase() {
  const queries = useQueryClient();
  const [by, setBy] = useState<By>("email");
  const [visitor, setVisitor] = useState("");
  const [asked, setAsked] = useState<string>();
  const [erased, setErased] = useState<{ visitor: string; done: Erased }>();
  const text = visitor.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text !== "") setAsked(text);
  };
  const erase = async (who: string) => {
    setErased(undefined);
    const body: Schemas["VisitorRef"] = by === "email" ? { email: who } : { visitor_id: who };
    const done = await data(api.POST("/api/v1/privacy/erasures", { body }));
    setErased({ visitor: who, done });
    setVisitor("");
    void queries.invalidateQueries(); // chats, lists and the audit log are others now
  };
  return (
    <div className={`${classes.stack} ${classes.body}`}>
      <p className={classes.text}>
        When a customer asks for it: removes who the chats were with and what was shown, and the customer’s rows in your
        CSV data. Your own systems are not touched.
      </p>
      {erased !== undefined && (
        <Note tone="good" title={doneTitle(erased.done)} live>
          {doneText(erased.done)}
        </Note>
      )}
      {!allowed("eraseVisitor") ? (
        <p className="sc-dim">Admins and owners can do this.</p>
      ) : (
        <form onSubmit={submit} className={`${classes.form} ${classes.wide}`} noValidate>
          <Radio.Group label="Find the visitor by" value={by} onChange={(chosen) => setBy(chosen as By)}>
            <div style={{ display: "flex", flexWrap: "wrap", gap: "8px 24px" }}>
              {(Object.keys(names) as By[]).map((value) => (
                <Radio key={value} value={value} label={names[value].label} />
              ))}
            </div>
          </Radio.Group>
          <TextInput
            label={names[by].label}
            type={by === "email" ? "email" : "text"}
            placeholder={names[by].hint}
            autoComplete="off"
            maxLength={by === "email" ? 254 : 1000}
            value={visitor}
            onChange={(e) => setVisitor(e.currentTarget.value)}
          />
          <div className={classes.saving}>
            <Button type="submit" variant="outline" color="vermilion" disabled={text === ""}>
              Erase this visitor
            </Button>
          </div>
        </form>
      )}
      <Ask
        about={asked}
        close={() => setAsked(undefined)}
        title={(who) => `Erase ${who}?`}
        action="Erase"
        act={erase}
        failed="Not everything was erased"
      >
        {() => (
          <>
            <p>
              All chats of this visitor lose their address, visitor id and details, and cannot be replayed. Chats that
              are not over yet end, and their agents get no card. Rows with the address leave your CSV data.
            </p>
            <p>This cannot be undone. The audit log says that you did it, but not for whom.</p>
          </>
        )}
      </Ask>
    </div>
  );
}

function doneTitle({ chats, rows }: Erased): string {
  return chats + rows === 0 ? "Nothing is kept of this visitor" : "The visitor was erased";
}

/** doneText says how much was erased. */
function doneText({ chats, unfinished, rows }: Erased): string {
  if (chats + rows === 0) return "There is no chat and no row in your CSV data. Check how the name is written.";
  const parts = [plural(chats, "chat"), ...(rows > 0 ? [`${plural(rows, "row")} of CSV data`] : [])];
  const ended = unfinished > 0 ? ` ${plural(unfinished, "chat was", "chats were")} not over yet and ended.` : "";
  const again = rows > 0 ? " A list that you upload again may bring rows back." : "";
  return `Erased: ${listed(parts)}.${ended}${again}`;
}
