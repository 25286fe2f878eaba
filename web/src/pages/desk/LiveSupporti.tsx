// The desk: the tenant's link to LiveSupporti. Instructions at the left, the page's ear at the right.
import { Button } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { allowed } from "../../api/may";
import { liveDesk, rejections, shownChat, type Chat, type Desk } from "../../api/queries";
import { CopyField } from "../../parts/CopyField";
import { Note } from "../../parts/Note";
import { OnlyFor } from "../../parts/OnlyFor";
import { Page, Section } from "../../parts/Page";
import { Failed, Loading } from "../../parts/States";
import { clock } from "../../parts/text";
import { Credentials } from "./Credentials";
import { Instruction } from "./Instruction";
import { Listening } from "./Listening";
import { Rejections } from "./Rejections";
import { Secret } from "./Secret";
import { Stored } from "./Stored";
import { Unsigned } from "./Unsigned";
import { deskTitle } from "./state";
import { useDeskTest } from "./test";

const addressOfLiveSupporti = "https://app.livesupporti.com";

export function LiveSupporti() {
  const desk = useQuery(liveDesk());
  const shown = useQuery(shownChat());
  if (desk.data !== undefined) return <Details desk={desk.data} firstShown={shown.data ?? undefined} />;
  return (
    <Page title={desk.error ? "The desk did not load" : "One moment"} tab="LiveSupporti">
      {desk.error ? (
        <Failed what="The desk" error={desk.error} retry={() => void desk.refetch()} />
      ) : (
        <Loading what="the desk" />
      )}
    </Page>
  );
}

function Details({ desk, firstShown }: { desk: Desk; firstShown?: Chat }) {
  const test = useDeskTest();
  const refused = useQuery(rejections());
  const worksBy = firstShown !== undefined && !desk.paused;
  return (
    <Page
      title={deskTitle(desk)}
      tab="LiveSupporti"
      lead="Six steps in two browser tabs. This page watches and ticks them off."
      dock={<Listening desk={desk} test={test.result} firstShown={firstShown} />}
    >
      {desk.paused && (
        <div style={{ marginBottom: 20 }}>
          <Note tone="bad" title={desk.problem?.message ?? "Details wait: LiveSupporti refused the login."}>
            {desk.problem?.fix ??
              "Put the e-mail and the API key right below. Waiting chats are sent at once if they are young enough."}
          </Note>
        </div>
      )}
      {!allowed("updateDesk") && (
        <div style={{ marginBottom: 20 }}>
          <OnlyFor action="updateDesk" what="Changes of this link" />
        </div>
      )}
      <ol style={{ margin: 0, padding: 0, listStyle: "none" }}>
        <Instruction
          number={1}
          id="credentials"
          title="Let Sidecard send details to your agents"
          state={desk.paused ? "warn" : desk.api_key_set && (test.result?.ok || worksBy) ? "done" : "open"}
        >
          {allowed("updateDesk") ? <Credentials desk={desk} test={test} /> : <Stored desk={desk} test={test} />}
        </Instruction>
        <Instruction
          number={2}
          title={
            <>
              Sign in to LiveSupporti, click <b>WebHooks</b> in the left menu, then <b>Add a WebHook</b>
            </>
          }
          state={desk.handshake_at ? "done" : "open"}
        >
          <Button
            component="a"
            href={addressOfLiveSupporti}
            target="_blank"
            rel="noreferrer"
            variant="default"
            size="compact-md"
            rightSection={<IconExternalLink size={16} stroke={1.75} aria-label="in a new tab" />}
          >
            Open app.livesupporti.com
          </Button>
        </Instruction>
        <Instruction
          number={3}
          title={
            <>
              Select <b>Chat started</b> and <b>Visitor data</b>
            </>
          }
          state={desk.handshake_at ? "done" : "open"}
        />
        <Instruction
          number={4}
          title="Paste these two values"
          state={wrongSecret(desk) ? "warn" : desk.secret_set && desk.first_signed_at ? "done" : "open"}
        >
          <div style={{ display: "grid", gap: 14 }}>
            <CopyField label="Callback URI" name="callback URI" value={desk.callback_url} />
            <Secret
              desk={desk}
              warning={
                wrongSecret(desk)
                  ? `LiveSupporti signed with another secret at ${clock(new Date(desk.problem!.at))}.`
                  : undefined
              }
            />
          </div>
        </Instruction>
        <Instruction
          number={5}
          title={
            <>
              Click <b>Create</b>
            </>
          }
          state={desk.handshake_at ? "done" : "open"}
        >
          LiveSupporti calls the address at once, to see that it is yours
          {desk.handshake_at ? `: the handshake came at ${clock(new Date(desk.handshake_at))}.` : "."}
        </Instruction>
        <Instruction number={6} title="Start a chat on your own site" state={firstShown ? "done" : "open"}>
          Use the e-mail of a customer you know, so that there is something to see.
        </Instruction>
      </ol>
      <div style={{ marginTop: 34 }}>
        <Section title="Requests without a signature">
          <Unsigned desk={desk} />
        </Section>
        <Section title="Rejected requests" aside="the last 100">
          <Rejections query={refused} />
        </Section>
      </div>
    </Page>
  );
}

function wrongSecret(desk: Desk): boolean {
  return desk.problem?.code === "wrong_signature";
}
