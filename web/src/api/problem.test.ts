import { describe, expect, it } from "vitest";
import { asProblem, fieldProblems, readProblem } from "./problem";

const body = {
  type: "about:blank",
  title: "Unprocessable Content",
  status: 422,
  code: "invalid_request",
  detail: "Two values need another look.",
  request_id: "req_81fC",
  errors: [
    { pointer: "/settings/host", detail: "Leave out https://." },
    { pointer: "/settings/columns/2", detail: "This column is named twice." },
    { pointer: "/settings/columns/3", detail: "So is this one." },
    { pointer: "/name", detail: "Give it a name." },
    { pointer: "email_column", detail: "No such column." },
  ],
};

describe("readProblem", () => {
  it("keeps what the API says", () => {
    const problem = readProblem(422, body);
    expect(problem.message).toBe("Two values need another look.");
    expect([problem.code, problem.status, problem.requestId]).toEqual(["invalid_request", 422, "req_81fC"]);
  });
  it("makes a sentence of an answer that is no problem", () => {
    for (const odd of [undefined, null, "<html>", 502, { detail: 1 }]) {
      expect(readProblem(502, odd).message).toMatch(/502.*Try again/);
    }
  });
  it("takes any thrown value", () => {
    expect(asProblem(new TypeError("x")).code).toBe("unexpected_answer");
  });
});

describe("fieldProblems", () => {
  const problem = readProblem(422, body);

  it("gives each input its own sentence, the first one when there are several", () => {
    const { byField } = fieldProblems(problem, ["host", "columns"], "/settings");
    expect(byField).toEqual({ host: "Leave out https://.", columns: "This column is named twice." });
  });
  it("keeps what belongs to no input, so that nothing is hidden", () => {
    const { rest } = fieldProblems(problem, ["host", "columns"], "/settings");
    expect(rest.map((p) => p.pointer)).toEqual(["/name", "email_column"]);
    expect(fieldProblems(problem, ["name"]).rest.map((p) => p.pointer)).toContain("/settings/host");
  });
  it("knows parameters by their name", () => {
    expect(fieldProblems(problem, ["email_column"]).byField).toEqual({ email_column: "No such column." });
  });
  it("reads escaped pointers", () => {
    const odd = readProblem(422, { ...body, errors: [{ pointer: "/a~1b~0c", detail: "Hm." }] });
    expect(fieldProblems(odd, ["a/b~c"]).byField).toEqual({ "a/b~c": "Hm." });
  });
  it("takes no problem at all", () => {
    expect(fieldProblems(null, ["host"])).toEqual({ byField: {}, rest: [] });
  });
});
