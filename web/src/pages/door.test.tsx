// @vitest-environment jsdom
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { me } from "../../mock/tenant.ts";
import { openPage, problem } from "../test-page";
import { ConfirmReset, ConfirmSignUp } from "./FollowLink";
import { Invitation } from "./Invitation";
import { Reset } from "./Reset";
import { SignIn } from "./SignIn";
import { SignUp } from "./SignUp";

const session = { access_token: "a", token_type: "Bearer", expires_in: 600, me };
const long = "correct horse battery";

// At once: what a key stroke does is the browser's business, and each costs a rendering.
const fill = (input: HTMLElement, value: string) => fireEvent.change(input, { target: { value } });

const open = (at: string, api: Parameters<typeof openPage>[0]["api"]) =>
  openPage({ at, layout: "open", api, pages: { "/signin": SignIn, "/signup": SignUp, "/reset": Reset } });
const follow = (at: string, api: Parameters<typeof openPage>[0]["api"]) =>
  openPage({
    at,
    layout: "link",
    api,
    pages: { "/confirm": ConfirmSignUp, "/reset/confirm": ConfirmReset, "/invitation": Invitation },
  });

beforeEach(() => localStorage.clear());
afterEach(() => vi.unstubAllGlobals());

describe("signing up", () => {
  it("says to look for the mail, and signs nobody in", async () => {
    const { user } = await open("/signup", { "POST /auth/signup": 202 });
    fill(await screen.findByLabelText(/^Company/), "Brightwater");
    fill(screen.getByLabelText(/e-mail/), "dana@b.se");
    fill(screen.getByLabelText(/^Password/), long);
    await user.click(screen.getByRole("button", { name: "Create your account" }));
    expect(await screen.findByRole("heading", { name: "Check your mail" })).toBeTruthy();
    expect(screen.getByText(/dana@b\.se/)).toBeTruthy();
    expect(localStorage.length).toBe(0);
  });

  it("shows what is wrong with a field beside that field", async () => {
    const { user } = await open("/signup", {
      "POST /auth/signup": problem(400, "invalid", "Some fields are not right.", [
        { pointer: "/password", detail: "This password is in lists of stolen ones. Choose another." },
      ]),
    });
    fill(await screen.findByLabelText(/^Company/), "Brightwater");
    fill(screen.getByLabelText(/e-mail/), "dana@b.se");
    fill(screen.getByLabelText(/^Password/), long);
    await user.click(screen.getByRole("button", { name: "Create your account" }));
    const said = await screen.findByText(/lists of stolen ones/);
    expect(screen.getByLabelText(/^Password/).getAttribute("aria-describedby")).toContain(said.id);
    expect(said.id).not.toBe("");
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

describe("signing in", () => {
  const signIn = async (api: Parameters<typeof openPage>[0]["api"]) => {
    const page = await open("/signin", api);
    fill(await screen.findByLabelText(/e-mail/), "dana@b.se");
    fill(screen.getByLabelText(/^Password/), long);
    await page.user.click(screen.getByRole("button", { name: "Sign in" }));
    return page;
  };

  it("asks for the refresh token as a cookie and keeps none where scripts can read it", async () => {
    const { asked } = await signIn({ "POST /auth/signin": session });
    await waitFor(() => expect(localStorage.getItem("sidecard.signed-in")).toBe("yes"));
    expect(asked.find((a) => a.path === "/auth/signin")?.body).toMatchObject({ cookie: true });
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain(long);
  });

  it("asks for the code in a second step, and sends the password along with it", async () => {
    const { asked, user } = await signIn({
      "POST /auth/signin": (ask) =>
        (ask.body as { code?: string }).code === undefined ? problem(401, "code_required", "Give the code.") : session,
    });
    const code = await screen.findByLabelText(/^Code/);
    expect(document.activeElement).toBe(code);
    expect(screen.queryByText("Not signed in")).toBeNull();
    fill(code, "123456");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(localStorage.getItem("sidecard.signed-in")).toBe("yes"));
    expect(asked.filter((a) => a.path === "/auth/signin").at(-1)?.body).toMatchObject({
      password: long,
      code: "123456",
    });
  });

  it("says that the code was wrong without asking for the password again", async () => {
    const { user } = await signIn({
      "POST /auth/signin": (ask) =>
        (ask.body as { code?: string }).code === undefined
          ? problem(401, "code_required", "Give the code.")
          : problem(401, "wrong_code", "This code is not right, or was used before."),
    });
    fill(await screen.findByLabelText(/^Code/), "000000");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect((await screen.findByRole("alert")).textContent).toContain("This code is not right");
    expect(screen.getByLabelText(/^Password/)).toHaveProperty("value", long);
  });
});

it("answers a forgotten password the same way whoever asks", async () => {
  const { user } = await open("/reset", { "POST /auth/reset": 202 });
  fill(await screen.findByLabelText(/e-mail/), "nobody@b.se");
  await user.click(screen.getByRole("button", { name: "Mail me a link" }));
  expect(await screen.findByRole("heading", { name: "Check your mail" })).toBeTruthy();
});

describe("a mail's link", () => {
  it("does nothing until its button is pressed, and its token leaves the address", async () => {
    const { asked, router, user } = await follow("/confirm?token=t0ken", { "POST /auth/signup/confirm": session });
    const button = await screen.findByRole("button", { name: "Create my account" });
    await waitFor(() => expect(router.state.location.href).not.toContain("t0ken"));
    expect(asked).toEqual([]);
    await user.click(button);
    await waitFor(() => expect(asked).toHaveLength(1));
    expect(asked[0]?.body).toEqual({ token: "t0ken", cookie: true });
  });

  it("says how to go on when it has ended", async () => {
    const { user } = await follow("/confirm?token=old", {
      "POST /auth/signup/confirm": problem(410, "link_ended", "This link was used, or has ended."),
    });
    await user.click(await screen.findByRole("button", { name: "Create my account" }));
    expect((await screen.findByRole("alert")).textContent).toContain("This link was used, or has ended.");
    expect(screen.getByRole("link", { name: "Sign up again" }).getAttribute("href")).toBe("/signup");
    expect(screen.queryByRole("button", { name: "Create my account" })).toBeNull();
  });

  it("sets a new password, and leads to signing in", async () => {
    const { asked, user } = await follow("/reset/confirm?token=t0ken", { "POST /auth/reset/confirm": 204 });
    fill(await screen.findByLabelText(/^New password/), long);
    await user.click(screen.getByRole("button", { name: "Set the password" }));
    expect(await screen.findByRole("heading", { name: "Your password is set" })).toBeTruthy();
    expect(asked.at(-1)?.body).toEqual({ token: "t0ken", password: long });
  });
});

describe("an invitation", () => {
  const shown = { company: "Harbour", email: "dana@b.se", role: "member" };

  it("lets a newcomer choose a name and a password", async () => {
    const { asked, user } = await follow("/invitation?token=t0ken", {
      "POST /auth/invitation": { ...shown, has_account: false },
      "POST /auth/invitation/accept": session,
    });
    expect(await screen.findByRole("heading", { name: "Join Harbour" })).toBeTruthy();
    fill(screen.getByLabelText(/^Your name/), "Dana");
    fill(screen.getByLabelText(/^Choose a password/), long);
    await user.click(screen.getByRole("button", { name: "Join" }));
    await waitFor(() => expect(asked.at(-1)?.path).toBe("/auth/invitation/accept"));
    expect(asked.at(-1)?.body).toEqual({ token: "t0ken", name: "Dana", password: long, cookie: true });
  });

  it("asks who has an account for its password, and then for the code", async () => {
    const { user } = await follow("/invitation?token=t0ken", {
      "POST /auth/invitation": { ...shown, has_account: true },
      "POST /auth/invitation/accept": problem(401, "code_required", "Give the code."),
    });
    fill(await screen.findByLabelText(/^Your password/), long);
    expect(screen.queryByLabelText(/^Your name/)).toBeNull();
    await user.click(screen.getByRole("button", { name: "Join" }));
    expect(await screen.findByLabelText(/^Code/)).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
