// All chats, newest first: one row each, seen again every two seconds.
import { Button, Select, Switch } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { chats as chatPages, desk as deskQuery, type OutcomeName } from "../api/queries";
import { ChatTable } from "../parts/ChatTable";
import { ChatDrawing, SearchDrawing } from "../parts/Drawings";
import { Page } from "../parts/Page";
import { Empty, Failed, Loading } from "../parts/States";
import { outcomeWords } from "../parts/Status";
import { plural } from "../parts/text";
import classes from "./Chats.module.css";

const all = "all";

export function Chats() {
  const [outcome, setOutcome] = useState<OutcomeName | undefined>();
  const [follow, setFollow] = useState(true);
  const desk = useQuery(deskQuery());
  const query = useInfiniteQuery({ ...chatPages(outcome, follow), placeholderData: keepPreviousData });
  const chats = query.data?.pages.flatMap((p) => p.chats);
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
      <div className={classes.filters}>
        <Select
          aria-label="Outcome"
          value={outcome ?? all}
          onChange={(value) => setOutcome(value === all || value === null ? undefined : (value as OutcomeName))}
          data={[{ value: all, label: "All outcomes" }, ...outcomeWords.map(([value, label]) => ({ value, label }))]}
          maxDropdownHeight={420}
          w={230}
        />
        {outcome !== undefined && (
          <Button variant="subtle" onClick={() => setOutcome(undefined)}>
            Clear the filter
          </Button>
        )}
      </div>
      {query.error !== null && chats === undefined && (
        <Failed what="Chats" error={query.error} retry={() => void query.refetch()} />
      )}
      {query.isPending && <Loading what="chats" rows={10} />}
      {chats?.length === 0 &&
        (outcome === undefined ? <NoChats /> : <NoMatch word={wordOf(outcome)} clear={() => setOutcome(undefined)} />)}
      {chats !== undefined && chats.length > 0 && (
        <>
          <ChatTable chats={chats} goalMs={desk.data?.goal_ms} />
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
    </Page>
  );
}

function wordOf(outcome: OutcomeName): string {
  return outcomeWords.find(([name]) => name === outcome)?.[1] ?? outcome;
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

function NoMatch({ word, clear }: { word: string; clear: () => void }) {
  return (
    <Empty
      drawing={<SearchDrawing />}
      title={`No chat ended as “${word}”`}
      actions={
        <Button variant="default" onClick={clear}>
          Clear the filter
        </Button>
      }
    >
      Chats with other outcomes are hidden by the filter.
    </Empty>
  );
}
