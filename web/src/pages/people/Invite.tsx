// Inviting somebody: an address and a role. The mail has a link that is good for seven days.
import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, data } from "../../api/client";
import { Note } from "../../parts/Note";
import { FormProblem, told } from "./Inputs";
import { invitations, useStale } from "./people";
import { RoleSelect } from "./RoleSelect";
import type { Role } from "../../api/may";
import { grantable, roleMeanings } from "./roles";
import classes from "./people.module.css";

interface InviteProps {
  opened: boolean;
  close: () => void;
  /** The role of who invites: nobody gives more. */
  own: Role;
}

export function Invite({ opened, close, own }: InviteProps) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Invite somebody"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Form close={close} own={own} />
    </Modal>
  );
}

function Form({ close, own }: Omit<InviteProps, "opened">) {
  const stale = useStale();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("member");
  const invite = useMutation({
    mutationFn: () => data(api.POST("/api/v1/invitations", { body: { email: email.trim(), role } })),
    onSuccess: () => stale(invitations),
  });
  const problem = told(invite.error, ["email", "role"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  if (invite.isSuccess) {
    const another = () => {
      invite.reset();
      setEmail("");
    };
    return (
      <div className={classes.question}>
        <Note tone="good" title="A mail is on its way" live>
          The link for {invite.data.email} is good for seven days. Inviting them again replaces it.
        </Note>
        <div className={classes.actions}>
          <Button variant="default" onClick={another}>
            Invite another
          </Button>
          <Button onClick={close}>Done</Button>
        </div>
      </div>
    );
  }
  return (
    <form onSubmit={submit} className={classes.narrowForm}>
      <FormProblem of={problem} title="Not invited" />
      <TextInput
        label="E-mail address"
        type="email"
        required
        data-autofocus
        autoComplete="off"
        maxLength={254}
        value={email}
        error={problem.byField.email}
        onChange={(e) => setEmail(e.currentTarget.value)}
      />
      <RoleSelect
        label="Role"
        description={roleMeanings[role]}
        offered={grantable(own)}
        value={role}
        choose={setRole}
        error={problem.byField.role}
      />
      <div className={classes.actions}>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={invite.isPending}>
          Send the invitation
        </Button>
      </div>
    </form>
  );
}
