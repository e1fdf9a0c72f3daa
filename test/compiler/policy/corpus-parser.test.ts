/** The corpus `parser`: what each document decodes to, and where each problem is. */
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.ts";
import { load, PolicyDocument } from "../../../compiler/load/index.ts";
import { LineIndex } from "../../../compiler/load/line-index.ts";
import { parseYaml } from "../../../compiler/load/parse-yaml.ts";
import { decodePolicy } from "../../../compiler/policy/decode/policy-message.ts";
import { Reader, rootSpot } from "../../../compiler/policy/decode/spot.ts";
import {
  expectHolds,
  hasCorpus,
  readCases,
  readText,
  sameField,
  upstreamKind,
  type Position,
} from "./corpus.ts";

interface ParserError {
  readonly kind: string;
  readonly position?: Position;
  readonly message: string;
}

interface ParserCase {
  readonly input: string;
  readonly want: readonly { readonly message: unknown; readonly errors?: readonly ParserError[] }[];
  readonly wantErrors: readonly ParserError[];
}

interface Problem extends Position {
  readonly kind: string | undefined;
}

/** Every document of a stream, decoded to plain values, and all problems. */
function decodeStream(text: string): { messages: unknown[]; problems: Problem[] } {
  const { roots, problems: syntax } = parseYaml(text);
  const lines = new LineIndex(text);
  const problems: Problem[] = syntax.map(({ code, offset, path }) => {
    const { line, column } = lines.position(offset);
    return { kind: upstreamKind(code), line, column, path };
  });
  const messages = roots.map((root) => {
    if (root.kind !== "map") {
      problems.push({ kind: "KIND_PARSE_ERROR", ...lines.position(root.offset), path: "$" });
      return {};
    }
    const diagnostics: Diagnostic[] = [];
    const document = new PolicyDocument("policy.yaml", text, root);
    const message = decodePolicy(rootSpot(document), new Reader(document, diagnostics));
    for (const { code, place } of diagnostics) {
      problems.push({ kind: upstreamKind(code), ...place });
    }
    return plain(message);
  });
  return { messages, problems };
}

/** A decoded value as upstream prints it: without places, and without fields that say nothing. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    const named = value.filter((item): item is { key: string; value: unknown } => "key" in Object(item));
    return named.length > 0
      ? Object.fromEntries(named.map((item) => [item.key, plain(item.value)]))
      : value.map(plain);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if ("json" in value) {
    return value.json;
  }
  if ("value" in value) {
    return value.value;
  }
  const fields = Object.entries(value).filter(([name]) => name !== "spot");
  const given = fields
    .map(([name, field]) => [name, plain(field)] as const)
    .filter(([, field]) => !isDefault(field));
  return Object.fromEntries(given);
}

function isDefault(value: unknown): boolean {
  return (
    value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0)
  );
}

/** Listed cases must fail; one that passes breaks the test. */
const KNOWN_FAILURES: Readonly<Record<string, string>> = {};

describe.skipIf(!hasCorpus)("corpus parser", () => {
  const cases = readCases<ParserCase>("parser");

  it("has its cases", () => {
    expect(cases.length).toBeGreaterThan(20);
  });

  it.each(cases)("%s", (name, { input, want, wantErrors }) => {
    expectHolds(name, KNOWN_FAILURES, () => {
      const { messages, problems } = decodeStream(input);
      const unexpected = problems.filter((ours) => !wantErrors.some((theirs) => agrees(input, ours, theirs)));
      const missed = wantErrors.filter((theirs) => !problems.some((ours) => agrees(input, ours, theirs)));
      expect({ unexpected, missed }).toEqual({ unexpected: [], missed: [] });
      for (const [index, { message, errors = [] }] of want.entries()) {
        // Upstream stops decoding at an error; then only the errors are compared.
        if (errors.length === 0) {
          expect(messages[index]).toEqual(message);
        }
      }
    });
  });

  const formats = [
    "derived_roles_01",
    "export_constants_01",
    "export_variables_01",
    "principal_policy_01",
    "resource_policy_01",
  ];
  it.each(formats)("reads %s the same from YAML and JSON", (name) => {
    const want = JSON.parse(readText("parser", "policy_formats", "want", `${name}.json`)) as unknown;
    for (const extension of ["yaml", "json"]) {
      const { messages, problems } = decodeStream(
        readText("parser", "policy_formats", `${name}.${extension}`),
      );
      expect(problems).toEqual([]);
      expect(messages).toEqual([want]);
    }
  });

  it.each([
    ["multiple_policies.yaml", ["EDICT1104"]],
    ["single_policy_others_commented.yaml", []],
    ["single_policy_trailing_spaces.yaml", []],
  ])("%s", (name, codes) => {
    const { diagnostics, documents } = load([
      { path: name, text: readText("parser", "policy_formats", name) },
    ]);
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
    expect(documents).toHaveLength(codes.length === 0 ? 1 : 0);
  });
});

function agrees(text: string, ours: Problem, theirs: ParserError): boolean {
  return (
    ours.kind === theirs.kind && (theirs.position === undefined || sameField(text, ours, theirs.position))
  );
}
