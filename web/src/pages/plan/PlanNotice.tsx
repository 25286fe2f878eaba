// Home's word about the day's chats, once most of them are used.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Note } from "../../parts/Note";
import { Time } from "../../parts/Time";
import { level, usedText } from "./plan";
import { usage } from "./usage";

export function PlanNotice({ className }: { className?: string }) {
  const { data: u } = useQuery(usage());
  const state = u === undefined ? "free" : level(u.chats_today);
  if (u === undefined || state === "free") return null;
  const full = state === "full";
  return (
    <div className={className}>
      <Note
        tone={full ? "bad" : "warn"}
        title={full ? "Today’s chats are used up" : "Today’s chats are almost used up"}
        actions={<Link to="/settings/plan">Plan and use</Link>}
      >
        {`${usedText(u.chats_today)}. `}
        {full
          ? "Further chats are kept but not looked up, and can be replayed. The count begins anew "
          : "Beyond that, chats are kept but not looked up. The count begins anew "}
        <Time at={u.resets_at} />.
      </Note>
    </div>
  );
}
