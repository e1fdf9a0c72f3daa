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
  ])("refuse %s %s and name the flag", (flag, value) => {
    const parsed = parseOptions([`${flag}=${value}`]);
    expect(parsed.kind).toBe("wrong");
    expect(parsed).toHaveProperty("message", expect.stringContaining(flag));
  });

  it("refuse a flag that does not exist", () => {
    expect(parseOptions(["--fast"]).kind).toBe("wrong");
  });

  it("offer help before anything else", () => {
    expect(parseOptions(["--help", "--quick"]).kind).toBe("help");
  });
});
