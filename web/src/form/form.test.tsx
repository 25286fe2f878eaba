// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { inputsOf, refusals, settingsOf, startValues, type Values } from "./schema";
import { SettingsInputs } from "./SettingsInputs";

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
    expect(refusals(inputs, { ...values, host: "db" }, ["password"])).toEqual({});
  });
  it("says which numbers are right", () => {
    const values = { ...startValues(inputs), host: "db", password: "x" };
    expect(refusals(inputs, { ...values, port: "0" })).toEqual({ port: "Write a number from 1 to 65535." });
    expect(refusals(inputs, { ...values, port: "many" })).toEqual({ port: "Write a number." });
    expect(refusals(inputs, { ...values, port: "5432.5" })).toEqual({ port: "Write a whole number." });
  });
});

function Form({
  errors = {},
  kept,
  onChange,
}: {
  errors?: Record<string, string>;
  kept?: string[];
  onChange?: (name: string, value: string | boolean) => void;
}) {
  const [values, setValues] = useState(startValues(inputs));
  return (
    <MantineProvider env="test">
      <SettingsInputs
        inputs={inputs}
        values={values}
        errors={errors}
        kept={kept}
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
    render(<Form kept={["password"]} />);
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
});
