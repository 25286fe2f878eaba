// All chats, newest first: one row each, seen again every two seconds. Chosen ones, or all that fit the filter, can
// be replayed.
import { Button, Switch } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { backwards, filters, type ChatFilter } from "../api/chat-filter";
import { allowed } from "../api/may";
import { chats as chatPages, desk as deskQuery } from "../api/queries";
import { lastRun, matching, type ReplayResult, type Selection } from "../api/replays";
import { ChatTable } from "../parts/ChatTable";
import { ChatDrawing, SearchDrawing } from "../parts/Drawings";
import { Page } from "../parts/Page";
import { Empty, Failed, Loading } from "../parts/States";
import { plural } from "../parts/text";
import { ChatFilters } from "./ChatFilters";
import { SelectionBar } from "./replay/SelectionBar";
import { ReplayDialog } from "./replay/ReplayDialog";
import { RunProgress } from "./replay/RunProgress";
import classes from "./Chats.module.css";

export function Chats() {
  const filter = useSearch({ from: "/inside/chats" });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [follow, setFollow] = useState(true);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Selection>();
  const desk = useQuery(deskQuery());
  const run = useQuery(lastRun()).data;
  const wrong = backwards(filter);
  const query = useInfiniteQuery({
    // A row must not move away under the pointer that is about to choose it.
    ...chatPages(filter, follow && chosen.size === 0),
    enabled: !wrong,
    placeholderData: keepPreviousData,
  });
  const chats = wrong ? undefined : query.data?.pages.flatMap((p) => p.chats);
  const filtered = filters(filter);
  const replays = allowed("replayChats");
  const clear = () => setChosen(new Set());
  const change = (search: ChatFilter) => {
    clear();
    void navigate({ to: "/chats", search, replace: true });
  };
  const keep = (result: ReplayResult | null) => queries.setQueryData(lastRun().queryKey, result);
  const started = (result: ReplayResult) => {
    setAsked(undefined);
    clear();
    keep(result);
    void queries.invalidateQueries({ queryKey: ["chats"] });
  };
  return (
    <Page
      title="Chats"
      lead="Open one to see why an agent saw what they saw."
      actions={
        <Switch
          label="Live"
          labelPosition="right"
          checked={follow}
          onChange={(e) => setFollow(e.currentTarget.checked)}
        />
      }
    >
      <ChatFilters filter={filter} change={change} />
      {run !== null && <RunProgress run={run} dismiss={() => keep(null)} />}
      {query.error !== null && !wrong && chats === undefined && (
        <Failed what="Chats" error={query.error} retry={() => void query.refetch()} />
      )}
      {query.isPending && !wrong && <Loading what="chats" rows={10} />}
      {chats?.length === 0 && (filtered ? <NoMatch filter={filter} clear={() => change({})} /> : <NoChats />)}
      {chats !== undefined && chats.length > 0 && (
        <>
          {replays && (
            <SelectionBar
              chosen={chosen.size}
              held={follow}
              clear={clear}
              replayChosen={() => setAsked({ chat_ids: [...chosen] })}
              replayAll={filtered ? () => setAsked(matching(filter)) : undefined}
            />
          )}
          <ChatTable
            chats={chats}
            goalMs={desk.data?.goal_ms}
            choice={
              replays
                ? {
                    chosen,
                    choose: (ids, on) =>
                      setChosen((old) => {
                        const next = new Set(old);
                        for (const id of ids)
                          if (on) next.add(id);
                          else next.delete(id);
                        return next;
                      }),
                  }
                : undefined
            }
          />
          <footer className={classes.foot}>
            <span>
              {plural(chats.length, "chat")}
              {query.hasNextPage ? " so far" : ", that is all"}
            </span>
            {query.hasNextPage && (
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Load more
              </Button>
            )}
          </footer>
        </>
      )}
      <ReplayDialog selection={asked} close={() => setAsked(undefined)} started={started} />
    </Page>
  );
}

function NoChats() {
  return (
    <Empty
      drawing={<ChatDrawing />}
      title="No chats yet"
      actions={
        <Button component={Link} to="/livesupporti">
          Check the WebHook
        </Button>
      }
    >
      They appear here the second they start.
    </Empty>
  );
}

function NoMatch({ filter, clear }: { filter: ChatFilter; clear: () => void }) {
  const both = filter.outcome !== undefined && filter.time !== undefined;
  return (
    <Empty
      drawing={<SearchDrawing />}
      title={both ? "No chat fits these filters" : "No chat fits this filter"}
      actions={
        <Button variant="default" onClick={clear}>
          {both ? "Clear the filters" : "Clear the filter"}
        </Button>
      }
    >
      Other chats are hidden by {both ? "them" : "it"}.
    </Empty>
  );
}
