/**
 * Decision cases as data, `test/cases/*.yaml`: policies, engine settings, requests and the responses they must get. A
 * response is what the real Cerbos answered when the case was recorded (test/differential/record-cases.ts), unless
 * `differs` gives the reason why edict answers otherwise; then `want` was written by hand.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { SourceFile } from "../../compiler/load/index.ts";
import type { ErrorMode } from "../differential/interpreter/conditions.ts";
import type { Attributes, CheckRequest, CheckResponse } from "../differential/interpreter/request.ts";

export const CASES = fileURLToPath(new URL("../cases", import.meta.url));

export interface CaseEngine {
  readonly onError?: ErrorMode;
  readonly defaultPolicyVersion?: string;
  readonly defaultScope?: string;
  readonly lenientScopeSearch?: boolean;
  readonly globals?: Attributes;
  readonly schemaEnforcement?: "none" | "warn" | "reject";
}

export interface CaseCheck {
  readonly description?: string;
  readonly request: CheckRequest;
  readonly want: CheckResponse;
  /** Why edict does not answer as Cerbos does (COMPAT.md section 6, DESIGN.md 4.5). */
  readonly differs?: string;
}

export interface DecisionCase {
  readonly description: string;
  /** Error mode `compatible` unless given. */
  readonly engine?: CaseEngine;
  readonly policies: readonly unknown[];
  readonly checks: readonly CaseCheck[];
}

export interface NamedCase {
  /** File name without its extension. */
  readonly name: string;
  readonly data: DecisionCase;
}

/** Every case, sorted by name. */
export function readCases(): readonly NamedCase[] {
  return readdirSync(CASES)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => {
      const data: DecisionCase = parse(readFileSync(join(CASES, file), "utf8"));
      return { name: file.slice(0, -".yaml".length), data };
    });
}

/** The policies of a case as files. */
export function sourcesOf(data: DecisionCase): readonly SourceFile[] {
  return data.policies.map((policy, index) => ({
    path: `policy-${String(index).padStart(2, "0")}.json`,
    text: JSON.stringify(policy),
  }));
}

/** The request as it is sent: `includeMeta` is on unless the case turns it off. */
export function requestOf(check: CaseCheck): CheckRequest {
  return { includeMeta: true, ...check.request };
}

/** Writes the policies of a case to a temporary directory, for programs that read one. */
export async function withPolicyDirectory<T>(
  sources: readonly SourceFile[],
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "edict-policies-"));
  try {
    for (const { path, text } of sources) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
