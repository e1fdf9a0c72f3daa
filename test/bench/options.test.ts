/** The flags of `npm run bench`. */
import { describe, expect, it } from "vitest";

import { parseOptions } from "../../bench/options.ts";

describe("bench flags", () => {
  it("measure 100, 1,000 and 5,000 copies and write results unless told otherwise", () => {
    const parsed = parseOptions([]);
    expect(parsed).toMatchObject({
      kind: "options",
      options: { copies: 100, scaleCopies: [100, 1000, 5000], cerbos: true, write: true, quick: false },
    });
  });

  it("write a report of some parts only when told to", () => {
    expect(parseOptions(["--only", "http"])).toMatchObject({ options: { write: false } });
    expect(parseOptions(["--only", "http", "--write"])).toMatchObject({ options: { write: true } });
  });

  it("never overwrite full results with those of a quick run", () => {
    expect(parseOptions(["--quick"])).toMatchObject({
      kind: "options",
      options: { quick: true, write: false },
    });
  });

  it("wait for a steady machine, but not in a quick run or when told not to", () => {
    expect(parseOptions([])).toMatchObject({ options: { patienceMs: 15 * 60_000 } });
    expect(parseOptions(["--quick"])).toMatchObject({ options: { patienceMs: 0 } });
    expect(parseOptions(["--patience", "0"])).toMatchObject({ options: { patienceMs: 0 } });
    expect(parseOptions(["--patience", "3"])).toMatchObject({ options: { patienceMs: 180_000 } });
  });

  it("leave Cerbos out on request", () => {
    expect(parseOptions(["--no-cerbos"])).toMatchObject({ kind: "options", options: { cerbos: false } });
  });

  it.each([
    ["--copies", "0"],
    ["--copies", "5001"],
    ["--copies", "ten"],
    ["--rounds", "1.5"],
    ["--connections", "-1"],
    ["--seconds", "61"],
    ["--patience", "-1"],
  ])("refuse %s %s and name the flag", (flag, value) => {
    const parsed = parseOptions([`${flag}=${value}`]);
    expect(parsed.kind).toBe("wrong");
    expect(parsed).toHaveProperty("message", expect.stringContaining(flag));
  });

  it("keep parts of an earlier run only beside some that are measured again", () => {
    expect(parseOptions(["--only", "http", "--keep", "a.json"])).toMatchObject({
      options: { keep: "a.json" },
    });
    expect(parseOptions(["--keep", "a.json"])).toMatchObject({
      kind: "wrong",
      message: expect.stringContaining("--only"),
    });
  });

  it("refuse a flag that does not exist", () => {
    expect(parseOptions(["--fast"]).kind).toBe("wrong");
  });

  it("offer help before anything else", () => {
    expect(parseOptions(["--help", "--quick"]).kind).toBe("help");
  });
});
