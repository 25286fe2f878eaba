// Data and privacy: how long the details of chats are kept, one visitor to be erased, and everything as a file.
import { useQuery } from "@tanstack/react-query";
import { Page, Section } from "../../parts/Page";
import { Loaded } from "../../parts/States";
import { tenant } from "../people/people";
import { Erase } from "./Erase";
import { Export } from "./Export";
import { Retention } from "./Retention";

export function Privacy() {
  const query = useQuery(tenant());
  return (
    <Page title="Data and privacy" lead="What Sidecard keeps of your visitors, and for how long.">
      <Loaded query={query} what="The company" rows={5}>
        {(company) => (
          <>
            <Section title="How long details stay" rule>
              <Retention company={company} />
            </Section>
            <Section title="Erase a visitor" rule>
              <Erase />
            </Section>
            <Section title="Export your data" rule>
              <Export />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
