/**
 * Stage 6: code and data to a bundle file.
 *
 * Input: what stage 5 emitted, its program, the sources it came from, the guest core.
 * Output: the bytes of one `*.edict` file; the same input gives the same bytes.
 * Fails with: nothing; generated code that asc refuses is a bug of stage 5.
 */
import { createHash } from "node:crypto";
import {
  ABI_VERSION,
  BUNDLE_FORMAT_VERSION,
  SECTION_CORE,
  SECTION_IMAGE,
  SECTION_MANIFEST,
  SECTION_POLICY,
  SECTION_RULES,
  SECTION_SCHEMAS,
  SECTION_ZONES,
} from "../../assembly/abi.ts";
import type { Emitted } from "../emit/index.ts";
import type { Program } from "../ir/program.ts";
import type { SourceFile } from "../load/index.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { ZONES_PACKED, ZONES_VERSION } from "../time-zones/database.ts";
import { assemble } from "./asc.ts";
import { pack } from "./file.ts";
import { writeRules } from "./rules.ts";

export interface BundleInput {
  readonly emitted: Emitted;
  readonly program: Program;
  readonly set: PolicySet;
  readonly sources: readonly SourceFile[];
  /** core.wasm, whose digest the bundle then covers. */
  readonly core: Uint8Array;
}

/** Compiles the policy module and packs the bundle. */
export async function bundle(input: BundleInput): Promise<Uint8Array> {
  const { emitted, program, set, core } = input;
  const { wasm } = await assemble(emitted.module);
  const encoder = new TextEncoder();
  return pack([
    { kind: SECTION_MANIFEST, content: encoder.encode(JSON.stringify(manifest(input))) },
    { kind: SECTION_CORE, content: core },
    { kind: SECTION_POLICY, content: wasm },
    { kind: SECTION_IMAGE, content: emitted.image },
    { kind: SECTION_RULES, content: encoder.encode(writeRules(program, emitted.derivedRoles)) },
    {
      kind: SECTION_SCHEMAS,
      content: encoder.encode(
        JSON.stringify({
          sets: program.schemaSets,
          documents: Object.fromEntries([...set.schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
        }),
      ),
    },
    ...(emitted.module.usesZones
      ? [{ kind: SECTION_ZONES, content: Buffer.from(ZONES_PACKED, "base64") }]
      : []),
  ]);
}

function manifest({ emitted, program, set, sources }: BundleInput): unknown {
  const listed = [...sources]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((source) => ({ path: source.path, digest: digest(source.text) }));
  return {
    formatVersion: BUNDLE_FORMAT_VERSION,
    abiVersion: ABI_VERSION,
    compiler: "edict 0.1.0",
    policyDigest: digest(listed.map((source) => `${source.path}\0${source.digest}\n`).join("")),
    sources: listed,
    memory: { fixed: emitted.fixedMemory },
    functions: emitted.functions,
    attributes: program.attributes,
    counts: {
      resourcePolicies: program.resources.length,
      principalPolicies: program.principals.length,
      rolePolicies: program.roles.length,
      derivedRoles: program.derivedRoles.length,
      rules: program.rules.length,
      conditions: program.conditions.length,
      expressions: program.expressions.length,
    },
    schemas: {
      used: set.resourcePolicies.some(
        (policy) => policy.principalSchema !== undefined || policy.resourceSchema !== undefined,
      ),
    },
    ...(emitted.module.usesZones ? { timeZones: ZONES_VERSION } : {}),
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
