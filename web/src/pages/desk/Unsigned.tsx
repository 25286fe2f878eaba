// The rule for requests that carry no signature. A wrong signature is always refused.
import { Radio } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data, type Schemas } from "../../api/client";
import { allowed } from "../../api/may";
import { asProblem } from "../../api/problem";
import { desk as deskQuery, type Desk } from "../../api/queries";
import { ProblemNote } from "../../parts/Note";

export function Unsigned({ desk }: { desk: Desk }) {
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (unsigned: Schemas["UnsignedPolicy"]) => data(api.PATCH("/api/v1/desk", { body: { unsigned } })),
    onSuccess: (changed) => queries.setQueryData(deskQuery().queryKey, changed),
  });
  const fixed = !allowed("updateDesk");
  const value = save.isPending ? save.variables : desk.unsigned;
  return (
    <>
      <Radio.Group
        aria-label="Requests without a signature"
        value={value}
        onChange={(v) => save.mutate(v as Schemas["UnsignedPolicy"])}
      >
        <div style={{ display: "grid", gap: 10 }}>
          <Radio
            value="refuse"
            disabled={fixed}
            label="Refuse them"
            description="Nobody else can announce chats. The right choice once LiveSupporti has the secret."
          />
          <Radio
            value="accept"
            disabled={fixed}
            label="Accept them"
            description="Only if your LiveSupporti sends no signature. Each such chat is marked."
          />
        </div>
      </Radio.Group>
      {save.error !== null && (
        <div style={{ marginTop: 12 }}>
          <ProblemNote problem={asProblem(save.error)} title="The rule did not change" />
        </div>
      )}
    </>
  );
}
