// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { pemOf } from "./PemArea";
import { inputsOf } from "./schema";
import { SettingsInputs } from "./SettingsInputs";
import { filled, reboundBy, refusals, settingsOf, shownOf, startValues, type Stored, type Values } from "./values";

const schema = {
  type: "object",
  additionalProperties: false,
  required: ["host", "password"],
  properties: {
    password: {
      type: "string",
      title: "Password",
      description: "Sealed.",
      "x-secret": true,
      "x-order": 3,
      "x-group": "Login",
    },
    port: {
      type: "integer",
      title: "Port",
      description: "Usually 5432.",
      default: 5432,
      minimum: 1,
      maximum: 65535,
      "x-order": 2,
    },
    host: { type: "string", title: "Host", description: "Its name.", "x-order": 1, "x-placeholder": "db.example.com" },
    columns: { type: "array", items: { type: "string" }, title: "Columns", description: "One a line.", "x-order": 4 },
    tls: {
      type: "string",
      enum: ["verify-full", "require"],
      default: "verify-full",
      title: "Encryption",
      description: "How.",
      "x-order": 5,
      "x-advanced": true,
    },
    fold: {
      type: "boolean",
      default: true,
      title: "Ignore case",
      description: "Maya is maya.",
      "x-order": 6,
      "x-advanced": true,
    },
    note: { type: "string", title: "Note", description: "Anything.", "x-widget": "textarea" },
  },
};
const inputs = inputsOf(schema);

describe("inputsOf", () => {
  it("keeps the order of the hints, the rest last", () => {
    expect(inputs.map((i) => i.name)).toEqual(["host", "port", "password", "columns", "tls", "fold", "note"]);
  });
  it("chooses the input by type and hint", () => {
    expect(inputs.map((i) => i.kind)).toEqual(["text", "number", "secret", "lines", "choice", "switch", "area"]);
  });
  it("takes a schema without properties", () => {
    expect(inputsOf({ type: "object" })).toEqual([]);
    expect(inputsOf(undefined)).toEqual([]);
  });
});

describe("values", () => {
  it("start at what is stored, or else at the default; a secret never comes back", () => {
    const values = startValues(inputs, {
      host: "db",
      port: 6000,
      columns: ["a", "b"],
      password: "leaked",
      fold: false,
    });
    expect(values).toEqual({
      host: "db",
      port: "6000",
      password: "",
      columns: "a\nb",
      tls: "verify-full",
      fold: false,
      note: "",
    });
    expect(startValues(inputs).port).toBe("5432");
    expect(startValues(inputs).fold).toBe(true);
  });
  it("become settings of the right types, without what is empty", () => {
    const values: Values = {
      ...startValues(inputs),
      host: " db ",
      columns: "a\r\n\n b \n",
      password: " spaces count ",
    };
    expect(settingsOf(inputs, values)).toEqual({
      host: "db",
      port: 5432,
      columns: ["a", "b"],
      password: " spaces count ",
      tls: "verify-full",
      fold: true,
    });
    expect(settingsOf(inputs, { ...values, password: "", columns: " ", port: "" })).toEqual({
      host: "db",
      tls: "verify-full",
      fold: true,
    });
  });
});

describe("refusals", () => {
  it("asks for what is needed, but not for a secret that is stored", () => {
    const values = startValues(inputs);
    expect(refusals(inputs, values)).toEqual({ host: "This is needed.", password: "This is needed." });
    expect(refusals(inputs, { ...values, host: "db" }, { settings: { host: "db" }, secrets: ["password"] })).toEqual(
      {},
    );
  });
  it("says which numbers are right", () => {
    const values = { ...startValues(inputs), host: "db", password: "x" };
    expect(refusals(inputs, { ...values, port: "0" })).toEqual({ port: "Write a number from 1 to 65535." });
    expect(refusals(inputs, { ...values, port: "many" })).toEqual({ port: "Write a number." });
    expect(refusals(inputs, { ...values, port: "5432.5" })).toEqual({ port: "Write a whole number." });
  });
});

const hinted = inputsOf({
  required: ["host"],
  properties: {
    host: {
      type: "string",
      title: "Host",
      pattern: "^[a-z.]+$",
      "x-fix": "Write the name alone: db.example.com.",
      "x-binds-secrets": true,
      "x-order": 1,
    },
    password: { type: "string", title: "Password", "x-secret": true, "x-order": 2 },
    tls: { type: "string", enum: ["verify", "pin"], default: "verify", title: "Encryption", "x-order": 3 },
    pin: { type: "string", title: "Fingerprint", "x-when": { tls: ["pin"] }, "x-order": 4 },
    tunnel: { type: "boolean", default: false, title: "Tunnel", "x-order": 5 },
    tunnel_host: {
      type: "string",
      title: "Bastion",
      "x-when": { tunnel: [true] },
      "x-binds-secrets": true,
      "x-order": 6,
    },
    tunnel_auth: {
      type: "string",
      enum: ["key", "password"],
      default: "key",
      title: "By",
      "x-when": { tunnel: [true] },
    },
    tunnel_key: {
      type: "string",
      title: "Private key",
      "x-secret": true,
      "x-widget": "textarea",
      "x-placeholder": "-----BEGIN OPENSSH PRIVATE KEY-----",
      "x-when": { tunnel_auth: ["key"] },
    },
  },
});
const stored: Stored = { settings: { host: "db", tls: "verify" }, secrets: ["password"] };

describe("inputs of use only with the values of others", () => {
  const names = (values: Values) => shownOf(hinted, values).map((i) => i.name);
  const start = { ...startValues(hinted), host: "db" };

  it("are shown when the other has one of the values, which may be a switch", () => {
    expect(names(start)).toEqual(["host", "password", "tls", "tunnel"]);
    expect(names({ ...start, tls: "pin" })).toContain("pin");
    expect(names({ ...start, tunnel: true })).toEqual(expect.arrayContaining(["tunnel_host", "tunnel_key"]));
  });
  it("are hidden when the other is hidden itself", () => {
    expect(names({ ...start, tunnel_auth: "key" })).not.toContain("tunnel_key");
  });
  it("are not sent while hidden, and nothing is said about them", () => {
    expect(settingsOf(hinted, { ...start, pin: "ab", tunnel_key: "k" })).toEqual({
      host: "db",
      tls: "verify",
      tunnel: false,
    });
    expect(settingsOf(hinted, { ...start, tls: "pin", pin: "ab" })).toMatchObject({ pin: "ab" });
  });
  it("bring the values that they need when a suggestion fills them in", () => {
    expect(filled(hinted, start, "pin", "ab")).toMatchObject({ tls: "pin", pin: "ab" });
    expect(filled(hinted, start, "tunnel_key", "k")).toMatchObject({ tunnel: true, tunnel_auth: "key" });
    expect(filled(hinted, start, "nothing", "x")).toEqual(start);
  });
});

describe("a pattern", () => {
  it("says what to type instead", () => {
    const values = { ...startValues(hinted), host: "https://db" };
    expect(refusals(hinted, values)).toEqual({ host: "Write the name alone: db.example.com." });
    expect(refusals(hinted, { ...values, host: " db.example.com " })).toEqual({});
  });
  it("that the browser cannot read is left to the server", () => {
    const [input] = inputsOf({ properties: { a: { type: "string", pattern: "(?i)x(", "x-fix": "x" } } });
    expect(input?.pattern).toBeUndefined();
  });
});

describe("what binds secrets", () => {
  const values = startValues(hinted, stored.settings);
  it("asks for the stored ones again when it changes, and not before", () => {
    expect(reboundBy(hinted, values, stored)).toEqual([]);
    expect(refusals(hinted, values, stored)).toEqual({});
    const moved = { ...values, host: "other" };
    expect(reboundBy(hinted, moved, stored)).toEqual(["Host"]);
    expect(refusals(hinted, moved, stored)).toEqual({ password: "Enter it again: Host has changed." });
    expect(refusals(hinted, { ...moved, password: "new" }, stored)).toEqual({});
  });
  it("does so when it appears, and never for a new connection", () => {
    expect(reboundBy(hinted, { ...values, tunnel: true, tunnel_host: "jump" }, stored)).toEqual(["Bastion"]);
    expect(reboundBy(hinted, { ...values, tunnel_host: "jump" }, stored)).toEqual([]);
    expect(reboundBy(hinted, { ...values, host: "other" }, undefined)).toEqual([]);
  });
});

// jsdom reads no files.
function file(text: string, name = "key.pem"): File {
  return Object.assign(new File([text], name, { type: "text/plain" }), { text: () => Promise.resolve(text) });
}

describe("pemOf", () => {
  it("takes a key or certificate, and says of anything else what it is not", async () => {
    const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    expect(await pemOf(file(`\n${pem}\n\n`))).toEqual({ pem: `${pem}\n` });
    expect((await pemOf(file("\u0000\u0001", "key.der"))).refused).toMatch(/^key\.der is not in PEM form/);
    expect((await pemOf(file("x".repeat(100_001)))).refused).toMatch(/too large/);
  });
});

function Form({
  of = inputs,
  errors = {},
  stored,
  onChange,
}: {
  of?: typeof inputs;
  errors?: Record<string, string>;
  stored?: Stored;
  onChange?: (name: string, value: string | boolean) => void;
}) {
  const [values, setValues] = useState(startValues(of, stored?.settings));
  return (
    <MantineProvider env="test">
      <SettingsInputs
        inputs={of}
        values={values}
        errors={errors}
        stored={stored}
        onChange={(name, value) => {
          setValues((v) => ({ ...v, [name]: value }));
          onChange?.(name, value);
        }}
      />
    </MantineProvider>
  );
}

describe("SettingsInputs", () => {
  it("gives each input its label, its description and its error", async () => {
    const changed = vi.fn();
    render(<Form errors={{ host: "Leave out https://." }} onChange={changed} />);
    const host = screen.getByLabelText("Host");
    expect(host).toHaveProperty("placeholder", "db.example.com");
    expect(host.getAttribute("aria-invalid")).toBe("true");
    const described = host
      .getAttribute("aria-describedby")!
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent);
    expect(described).toEqual(expect.arrayContaining(["Its name.", "Leave out https://."]));
    await userEvent.type(host, "d");
    expect(changed).toHaveBeenLastCalledWith("host", "d");
  });

  it("hides a secret and says when one is stored", () => {
    render(<Form stored={{ settings: {}, secrets: ["password"] }} />);
    const password = screen.getByLabelText("Password");
    expect(password).toHaveProperty("type", "password");
    expect(password).toHaveProperty("placeholder", "Stored. Leave empty to keep it");
  });

  it("keeps advanced settings folded until asked for", async () => {
    render(<Form />);
    expect(screen.queryByRole("switch")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "More settings" }));
    expect(screen.getByRole("switch", { name: /Ignore case/ })).toHaveProperty("checked", true);
  });

  it("unfolds them when one of them is wrong", () => {
    render(<Form errors={{ tls: "Choose one." }} />);
    expect(screen.getByText("Choose one.")).toBeTruthy();
  });

  it("groups inputs under their heading", () => {
    render(<Form />);
    expect(screen.getByRole("group", { name: "Login" }).contains(screen.getByLabelText("Password"))).toBe(true);
  });

  it("shows what matters once it matters", async () => {
    render(<Form of={hinted} />);
    expect(screen.queryByLabelText("Bastion")).toBeNull();
    await userEvent.click(screen.getByRole("switch", { name: "Tunnel" }));
    expect(screen.getByLabelText("Bastion")).toBeTruthy();
    await userEvent.upload(
      document.querySelector<HTMLInputElement>('input[type="file"]')!,
      file("-----BEGIN OPENSSH PRIVATE KEY-----\nab\n", "id_ed25519"),
    );
    expect(await screen.findByDisplayValue(/^-----BEGIN OPENSSH/)).toBe(screen.getByLabelText(/^Private key/));
  });

  it("says at once that a new host asks for the password again", async () => {
    render(<Form of={hinted} stored={stored} />);
    const notice = screen.getAllByRole("status")[0]!;
    expect(notice.textContent).toBe("");
    await userEvent.type(screen.getByLabelText("Host"), "x");
    expect(notice.textContent).toBe("Enter “Password” again: “Host” decides who gets to see it.");
    expect(screen.getByLabelText("Password")).toHaveProperty("placeholder", "Enter it again");
  });

  it("draws no choice where there is none", () => {
    render(<Form of={inputsOf({ properties: { auth: { type: "string", enum: ["key"], title: "Sign-in" } } })} />);
    expect(screen.queryByText("Sign-in")).toBeNull();
  });
});
