/** compiler/lint/findings/schema-contradiction.ts */
import { describe, expect, it } from "vitest";
import { resourcePolicy } from "../../policy/policies.ts";
import { messages } from "../reviewing.ts";

const SCHEMA = {
  type: "object",
  properties: {
    state: { enum: ["open", "shut"] },
    size: { type: "integer" },
    tags: { type: "array" },
    any: {},
  },
  additionalProperties: false,
};

const judge = (expression: string, schema: object = SCHEMA): string[] => {
  const head = "  schemas: {resourceSchema: {ref: 'cerbos:///album.json'}}\n";
  const rule = `    - {actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: {match: {expr: '${expression}'}}}\n`;
  const policy = resourcePolicy("album", `${head}  rules:\n${rule}`);
  return messages({ "a.yaml": policy, "_schemas/album.json": JSON.stringify(schema) });
};

describe("attributes", () => {
  it("reports one that the schema does not have", () => {
    expect(judge("R.attr.colour == 1")).toEqual(["the schema `album.json` has no attribute `colour`"]);
    expect(judge('R.attr["colour"] == 1')).toEqual(["the schema `album.json` has no attribute `colour`"]);
  });

  it("says nothing where the schema leaves it open, or speaks of somebody else", () => {
    expect(judge("R.attr.colour == 1", { ...SCHEMA, additionalProperties: true })).toEqual([]);
    expect(judge("R.attr.colour == 1", { ...SCHEMA, allOf: [{}] })).toEqual([]);
    expect(judge("P.attr.colour == 1")).toEqual([]);
    expect(judge("has(R.attr.any)")).toEqual([]);
  });
});

describe("values", () => {
  it("reports one that no valid request has", () => {
    expect(judge('R.attr.state == "ajar"')).toEqual([
      '`R.attr.state` is compared with `ajar`, but the schema `album.json` says that it is one of ["open","shut"]',
    ]);
    expect(judge('"5" == R.attr.size')).toEqual([
      "`R.attr.size` is compared with `5`, but the schema `album.json` says that it is integer",
    ]);
    expect(judge("R.attr.size == 1.5")).toHaveLength(1);
    expect(judge("R.attr.tags == true")).toHaveLength(1);
  });

  it.each(['R.attr.state == "open"', "R.attr.size == 5", "R.attr.size == 5.0", "R.attr.any == 5"])(
    "accepts %s",
    (text) => {
      expect(judge(text)).toEqual([]);
    },
  );
});
