// Who is signed in, in which tenant, and the way to the others.
import { Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, data } from "../api/client";
import { begin, currentMe, signOut } from "../api/session";
import { initials } from "./text";
import classes from "./Frame.module.css";

const schemes = [
  ["auto", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
] as const;

export function PersonMenu() {
  const me = currentMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const change = useMutation({
    mutationFn: (tenant_id: string) => data(api.POST("/api/v1/me/tenant", { body: { tenant_id, cookie: true } })),
    onSuccess: (session) => {
      begin(session);
      window.location.assign("/"); // nothing on this page is of that tenant
    },
  });
  if (me === null) return null;
  const name = me.user.name || me.user.email;
  return (
    <Menu position="top-start" width={230} transitionProps={{ duration: 160 }}>
      <Menu.Target>
        <UnstyledButton className={classes.person}>
          <span className={classes.badge} aria-hidden="true">
            {initials(name)}
          </span>
          <span className={classes.who}>
            <strong>{name}</strong>
            <span>{me.tenant.name}</span>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {me.tenants.length > 1 && (
          <>
            <Menu.Label>Work in</Menu.Label>
            {me.tenants.map(({ tenant }) => (
              <Menu.Item
                key={tenant.id}
                closeMenuOnClick={false}
                disabled={change.isPending}
                onClick={() => tenant.id !== me.tenant.id && change.mutate(tenant.id)}
                {...chosen(tenant.id === me.tenant.id)}
              >
                {tenant.name}
              </Menu.Item>
            ))}
            {change.isError && <Menu.Label role="alert">That did not work. Try again.</Menu.Label>}
            <Menu.Divider />
          </>
        )}
        <Menu.Label>Look</Menu.Label>
        {schemes.map(([value, word]) => (
          <Menu.Item key={value} onClick={() => setColorScheme(value)} {...chosen(colorScheme === value)}>
            {word}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          component={Link}
          to="/settings/account"
          leftSection={<IconUserCircle size={16} stroke={1.75} aria-hidden="true" />}
        >
          Your account
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLogout size={16} stroke={1.75} aria-hidden="true" />}
          onClick={() => void signOut()}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function chosen(is: boolean) {
  return {
    "aria-current": is ? ("true" as const) : undefined,
    rightSection: is ? <IconCheck size={16} stroke={1.75} aria-hidden="true" /> : undefined,
  };
}
