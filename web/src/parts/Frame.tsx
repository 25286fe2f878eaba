// The frame of every signed-in page: file dividers at the left, the sheet, and on a phone a bar at the bottom.
import { Drawer, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconBook2,
  IconBuilding,
  IconDatabase,
  IconGauge,
  IconHome,
  IconId,
  IconKey,
  IconListDetails,
  IconMenu2,
  IconMessages,
  IconPlugConnected,
  IconShieldLock,
  IconTable,
  IconUsers,
  type Icon,
} from "@tabler/icons-react";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Fragment, Suspense } from "react";
import { allowed, type Action } from "../api/may";
import { Ending } from "./Ending";
import { Loading } from "./States";
import { Wordmark } from "./Mark";
import { PersonMenu } from "./PersonMenu";
import classes from "./Frame.module.css";

interface Item {
  to: string;
  label: string;
  icon: Icon;
  /** Left out for who may not do it. */
  needs?: Action;
}

const groups: { title?: string; items: Item[] }[] = [
  {
    items: [
      { to: "/", label: "Home", icon: IconHome },
      { to: "/chats", label: "Chats", icon: IconMessages },
    ],
  },
  {
    title: "Set up",
    items: [
      { to: "/card", label: "Card", icon: IconId },
      { to: "/sources", label: "Sources", icon: IconDatabase },
      { to: "/csv", label: "CSV data", icon: IconTable },
      { to: "/livesupporti", label: "LiveSupporti", icon: IconPlugConnected },
    ],
  },
  {
    title: "Together",
    items: [
      { to: "/settings/team", label: "Team", icon: IconUsers },
      { to: "/settings/tenant", label: "Company", icon: IconBuilding },
      { to: "/settings/plan", label: "Plan and use", icon: IconGauge },
      { to: "/settings/privacy", label: "Data and privacy", icon: IconShieldLock },
      { to: "/settings/audit", label: "Audit log", icon: IconListDetails, needs: "listAudit" },
    ],
  },
];

const bar: Item[] = [...groups[0]!.items, ...groups[1]!.items.slice(0, 2)];

export function Frame() {
  const path = useRouterState({ select: (s) => s.location.pathname });
  const [opened, drawer] = useDisclosure(false);
  return (
    <div className={classes.frame}>
      <a href="#main" className="sc-skip">
        Skip to the page
      </a>
      <header className={classes.top}>
        <Link to="/" className={classes.home} aria-label="Sidecard, home">
          <Wordmark />
        </Link>
        <UnstyledButton className={classes.burger} aria-label="Menu" onClick={drawer.open}>
          <IconMenu2 size={24} stroke={1.75} aria-hidden="true" />
        </UnstyledButton>
      </header>
      <nav className={classes.nav} aria-label="Main">
        <Link to="/" className={classes.home} aria-label="Sidecard, home">
          <Wordmark />
        </Link>
        <Dividers path={path} />
        <PersonMenu />
      </nav>
      <div className={classes.sheet}>
        <Suspense fallback={<PageLoading />}>
          <Ending />
          <Outlet />
        </Suspense>
      </div>
      <nav className={classes.bar} aria-label="Shortcuts">
        {bar.map((item) => (
          <Link key={item.to} to={item.to} aria-current={active(path, item.to) ? "page" : undefined}>
            <item.icon size={20} stroke={1.75} aria-hidden="true" />
            {item.label}
          </Link>
        ))}
      </nav>
      <Drawer
        opened={opened}
        onClose={drawer.close}
        title="Menu"
        position="right"
        size="280px"
        closeButtonProps={{ "aria-label": "Close the menu" }}
      >
        <nav aria-label="All pages" className={classes.drawer} onClickCapture={drawer.close}>
          <Dividers path={path} plain />
        </nav>
        <PersonMenu />
      </Drawer>
    </div>
  );
}

function active(path: string, to: string): boolean {
  return to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
}

function offered(item: Item): boolean {
  return item.needs === undefined || allowed(item.needs);
}

function Dividers({ path, plain }: { path: string; plain?: boolean }) {
  return (
    <div className={classes.dividers} data-plain={plain || undefined}>
      {groups.map((group, i) => (
        <Fragment key={i}>
          {group.title !== undefined && <p className={classes.group}>{group.title}</p>}
          <ul>
            {group.items.filter(offered).map((item) => (
              <li key={item.to}>
                <Link to={item.to} className={classes.item} aria-current={active(path, item.to) ? "page" : undefined}>
                  <item.icon size={18} stroke={1.75} aria-hidden="true" />
                  {item.label}
                </Link>
              </li>
            ))}
          </ul>
        </Fragment>
      ))}
      <p className={classes.group}>Build on it</p>
      <ul>
        {allowed("listTokens") && (
          <li>
            <Link
              to="/settings/tokens"
              className={classes.item}
              aria-current={active(path, "/settings/tokens") ? "page" : undefined}
            >
              <IconKey size={18} stroke={1.75} aria-hidden="true" />
              API tokens
            </Link>
          </li>
        )}
        <li>
          <a href="/docs" className={classes.item}>
            <IconBook2 size={18} stroke={1.75} aria-hidden="true" />
            API
          </a>
        </li>
      </ul>
    </div>
  );
}

function PageLoading() {
  return (
    <div className={classes.loading}>
      <Loading what="the page" rows={8} />
    </div>
  );
}
