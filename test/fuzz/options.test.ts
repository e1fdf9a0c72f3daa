/** The command line of the fuzzer. */
import { describe, expect, it } from "vitest";
import { parseRun } from "./options.ts";

describe("parseRun", () => {
  it("names a run by the clock unless told otherwise", () => {
    expect(parseRun([], () => 5_000_123)).toEqual({
      requests: 100_000,
      seed: 123,
      transport: "engine",
      every: 20,
      everyAllow: 1,
      findings: "fuzz-findings",
    });
    expect(parseRun(["--seed", "0", "--requests", "7", "--transport", "all"])).toMatchObject({
      seed: 0,
      requests: 7,
      transport: "all",
    });
  });

  it("shows its usage", () => {
    expect(parseRun(["--help"])).toBe("help");
  });

  it.each([
    [["--requests", "0"], "--requests"],
    [["--requests", "many"], "--requests"],
    [["--requests", "1e6"], "--requests"],
    [["--every", "0"], "--every"],
    [["--transport", "grpc"], "engine, http, stream, all"],
    [["--reqests", "7"], "--reqests"],
    [["7"], "7"],
  ])("says what is wrong with %j", (args, part) => {
    expect(parseRun(args)).toEqual({ wrong: expect.stringContaining(part) });
  });
});
