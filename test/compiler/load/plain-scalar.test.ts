/** compiler/load/plain-scalar.ts: each row was tried on Cerbos 0.55 */
import { describe, expect, it } from "vitest";
import { parseYaml } from "../../../compiler/load/parse-yaml.ts";
import { readPlain } from "../../../compiler/load/plain-scalar.ts";

describe("numbers", () => {
  it.each([
    ["1", 1],
    ["+1", 1],
    ["-1", -1],
    ["017", 15],
    ["-017", -15],
    ["0o17", 15],
    ["0x1F", 31],
    ["-0x10", -16],
    ["0b11", 3],
    ["1_000", 1000],
    ["0_1", 1],
    ["1__0", 10],
    ["1_", 1],
    ["00", 0],
    ["1.", 1],
    [".5", 0.5],
    ["-.5", -0.5],
    ["+.5", 0.5],
    ["1_0.5", 10.5],
    ["1.5e3", 1500],
    ["0.1e-3", 0.0001],
    ["0.", 0],
    ["18446744073709551615", 2 ** 64],
  ])("reads %s", (text, value) => {
    expect(readPlain(text).value).toBe(value);
  });

  it.each([
    "1e3",
    "1E3",
    "1e+3",
    "12e03",
    "08",
    "0X1f",
    "0x",
    "0b12",
    "_1",
    "1:30",
    "1.2.3",
    "2020-01-01",
    "-",
    "+",
    ".",
  ])("takes %s for text", (text) => {
    expect(readPlain(text)).toEqual({ value: text, text });
  });

  it("takes whole numbers of more than 64 bits, and floats without end, for text", () => {
    for (const text of ["18446744073709551616", "-9223372036854775809", "1.0e999"]) {
      expect(readPlain(text).value).toBe(text);
    }
  });

  it("gives string fields whole numbers in decimal, and other numbers as written", () => {
    expect(["017", "0x1F", "1_000", "+1", "20210210", "1.50"].map((text) => readPlain(text).text)).toEqual(
      "15 31 1000 1 20210210 1.50".split(" "),
    );
  });
});

describe("words", () => {
  it.each([
    [["~", "null", "Null", "NULL", ""], null],
    [["true", "True", "TRUE"], true],
    [["false", "False", "FALSE"], false],
    [[".inf", ".Inf", ".INF"], Infinity],
  ])("reads %j", (texts, value) => {
    expect(texts.map((text) => readPlain(text).value)).toEqual(texts.map(() => value));
  });

  it.each(["yes", "no", "on", "off", "tRue", "nULL", "nan", "inf", "n", "t"])("takes %s for text", (text) => {
    expect(readPlain(text)).toEqual({ value: text, text });
  });
});

it("concerns unquoted scalars only, whatever their tag", () => {
  const { roots } = parseYaml('a: \'1\'\nb: "true"\nc: |-\n  1\nd: !!str 12\ne: !!int "12"\nf:\n');
  const values =
    roots[0]?.kind === "map"
      ? roots[0].entries.map(({ value }) => value.kind === "scalar" && value.value)
      : [];
  expect(values).toEqual(["1", "true", "1", 12, "12", null]);
});
