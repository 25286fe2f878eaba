// All pages on one screen. Each is loaded when it is first opened.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  parseSearchWith,
  redirect,
  stringifySearchWith,
} from "@tanstack/react-router";
import { readFilter } from "./api/chat-filter";
import { currentMe, restore } from "./api/session";
import { Frame } from "./parts/Frame";
import { Broken, Missing } from "./pages/Missing";
import { readAnswer } from "./pages/sources/answer";

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing, errorComponent: Broken });

interface Next {
  next?: string;
}

const open = createRoute({ getParentRoute: () => root, id: "open", validateSearch: nextPage });

const signUp = createRoute({
  getParentRoute: () => open,
  path: "/signup",
  component: lazyRouteComponent(() => import("./pages/SignUp"), "SignUp"),
});
const signIn = createRoute({
  getParentRoute: () => open,
  path: "/signin",
  component: lazyRouteComponent(() => import("./pages/SignIn"), "SignIn"),
});

const reset = createRoute({
  getParentRoute: () => open,
  path: "/reset",
  component: lazyRouteComponent(() => import("./pages/Reset"), "Reset"),
});
// Where the links in mails lead.
const link = createRoute({ getParentRoute: () => root, id: "link", validateSearch: linkToken });

const confirmSignUp = createRoute({
  getParentRoute: () => link,
  path: "/confirm",
  component: lazyRouteComponent(() => import("./pages/FollowLink"), "ConfirmSignUp"),
});
const confirmReset = createRoute({
  getParentRoute: () => link,
  path: "/reset/confirm",
  component: lazyRouteComponent(() => import("./pages/FollowLink"), "ConfirmReset"),
});
const confirmEmail = createRoute({
  getParentRoute: () => link,
  path: "/email/confirm",
  component: lazyRouteComponent(() => import("./pages/FollowLink"), "ConfirmEmail"),
});
const invitation = createRoute({
  getParentRoute: () => link,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/Invitation"), "Invitation"),
});

// Everything below asks for a session first. A newcomer at the front door is shown how to begin.
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Frame,
  beforeLoad: async ({ location }) => {
    if (await restore()) {
      // Without the second factor that the tenant requires, nothing else works.
      if (currentMe()?.second_factor_missing && location.pathname !== "/settings/account")
        throw redirect({ to: "/settings/account" });
      return;
    }
    if (location.pathname === "/") throw redirect({ to: "/signup" });
    throw redirect({ to: "/signin", search: { next: location.href } });
  },
});

const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/Home"), "Home"),
});
const chats = createRoute({
  getParentRoute: () => inside,
  path: "/chats",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./pages/Chats"), "Chats"),
});
const chat = createRoute({
  getParentRoute: () => inside,
  path: "/chats/$chatId",
  component: lazyRouteComponent(() => import("./pages/Chat"), "Chat"),
});
const card = createRoute({
  getParentRoute: () => inside,
  path: "/card",
  component: lazyRouteComponent(() => import("./pages/card/Designer"), "Designer"),
});
const sources = createRoute({
  getParentRoute: () => inside,
  path: "/sources",
  component: lazyRouteComponent(() => import("./pages/sources/Sources"), "Sources"),
});
const addSource = createRoute({
  getParentRoute: () => inside,
  path: "/sources/add",
  component: lazyRouteComponent(() => import("./pages/sources/AddSource"), "AddSource"),
});
const connectSource = createRoute({
  getParentRoute: () => inside,
  path: "/sources/add/$kind",
  component: lazyRouteComponent(() => import("./pages/sources/ConnectSource"), "ConnectSource"),
});
const source = createRoute({
  getParentRoute: () => inside,
  path: "/sources/$connectionId",
  component: lazyRouteComponent(() => import("./pages/sources/Source"), "Source"),
});
const callback = createRoute({
  getParentRoute: () => inside,
  path: "/connect/callback",
  validateSearch: readAnswer,
  component: lazyRouteComponent(() => import("./pages/sources/Callback"), "Callback"),
});
const csv = createRoute({
  getParentRoute: () => inside,
  path: "/csv",
  component: lazyRouteComponent(() => import("./pages/csv/Lists"), "Lists"),
});
const csvList = createRoute({
  getParentRoute: () => inside,
  path: "/csv/$connectionId",
  component: lazyRouteComponent(() => import("./pages/csv/CsvList"), "CsvList"),
});
const livesupporti = createRoute({
  getParentRoute: () => inside,
  path: "/livesupporti",
  component: lazyRouteComponent(() => import("./pages/desk/LiveSupporti"), "LiveSupporti"),
});

const account = createRoute({
  getParentRoute: () => inside,
  path: "/settings/account",
  component: lazyRouteComponent(() => import("./pages/people/Account"), "Account"),
});
const team = createRoute({
  getParentRoute: () => inside,
  path: "/settings/team",
  component: lazyRouteComponent(() => import("./pages/people/Team"), "Team"),
});
const tenant = createRoute({
  getParentRoute: () => inside,
  path: "/settings/tenant",
  component: lazyRouteComponent(() => import("./pages/people/Tenant"), "Tenant"),
});
const plan = createRoute({
  getParentRoute: () => inside,
  path: "/settings/plan",
  component: lazyRouteComponent(() => import("./pages/plan/Plan"), "Plan"),
});
const privacy = createRoute({
  getParentRoute: () => inside,
  path: "/settings/privacy",
  component: lazyRouteComponent(() => import("./pages/privacy/Privacy"), "Privacy"),
});
const tokens = createRoute({
  getParentRoute: () => inside,
  path: "/settings/tokens",
  component: lazyRouteComponent(() => import("./pages/access/Tokens"), "Tokens"),
});
const audit = createRoute({
  getParentRoute: () => inside,
  path: "/settings/audit",
  component: lazyRouteComponent(() => import("./pages/access/Audit"), "Audit"),
});

const tree = root.addChildren([
  open.addChildren([signUp, signIn, reset]),
  link.addChildren([confirmSignUp, confirmReset, confirmEmail, invitation]),
  inside.addChildren([
    home,
    chats,
    chat,
    card,
    sources,
    addSource,
    connectSource,
    source,
    callback,
    csv,
    csvList,
    livesupporti,
    account,
    team,
    tenant,
    plan,
    privacy,
    tokens,
    audit,
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: "intent",
  scrollRestoration: true,
  // An address is text: a code that looks like a number stays as the vendor wrote it.
  parseSearch: parseSearchWith((text) => text),
  stringifySearch: stringifySearchWith(JSON.stringify),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
  interface HistoryState {
    /** The source was just connected: check it at once. */
    check?: boolean;
  }
}

function linkToken(search: Record<string, unknown>): { token?: string } {
  return typeof search.token === "string" ? { token: search.token } : {};
}

// Only a path of this portal may follow a sign-in.
function nextPage(search: Record<string, unknown>): Next {
  const next = search.next;
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? { next } : {};
}
