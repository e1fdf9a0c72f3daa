/**
 * Stage 6: code and data to a bundle file.
 *
 * Input: what stage 5 emitted, its program, the sources it came from, the guest core.
 * Output: the bytes of one `*.edict` file; the same input gives the same bytes.
 * Fails with: nothing; generated code that asc refuses is a bug of stage 5.
 */
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
import type { AssemblyScript } from "../assemble/asc.ts";
import { assemble } from "../assemble/index.ts";
import type { ObjectCache } from "../assemble/object-cache.ts";
import type { Emitted } from "../emit/index.ts";
import type { Program } from "../ir/program.ts";
import type { SourceFile } from "../load/index.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { ZONES_PACKED, ZONES_VERSION } from "../time-zones/database.ts";
import { pack } from "./file.ts";
import { writeRules } from "./rules.ts";
import { SectionTexts } from "./section-texts.ts";

export interface BundleInput {
  readonly emitted: Emitted;
  readonly program: Program;
  readonly set: PolicySet;
  readonly sources: readonly SourceFile[];
  /** core.wasm, whose digest the bundle then covers. */
  readonly core: Uint8Array;
  readonly stamp?: Stamp;
  /** Kept by a caller that compiles again after edits. */
  readonly memory?: BundleMemory;
  /** Memory for the file, all zero. */
  readonly allocate?: (size: number) => Uint8Array;
}

/** What making a bundle remembers: compiled functions, a compiler that is warm, and the sections of the last one. */
export interface BundleMemory {
  readonly objects: ObjectCache;
  readonly assemblyScript: AssemblyScript;
  readonly sections: SectionTexts;
}

/** What a bundle says about its own place among others; nothing unless told. */
export interface Stamp {
  /** A whole number that grows from one published bundle to the next. */
  readonly sequence?: number;
  /** The git commit whose files the sources are, hex. Whoever says so has compared them. */
  readonly gitCommit?: string;
}

/** Compiles the policy module and packs the bundle. */
export async function bundle(input: BundleInput): Promise<Uint8Array> {
  const { emitted, program, set, core, allocate } = input;
  const { objects, assemblyScript, sections = new SectionTexts() } = input.memory ?? {};
  const wasm = await assemble(emitted.module, objects, assemblyScript);
  return pack(
    [
      { kind: SECTION_MANIFEST, content: writeManifest(input, sections) },
      { kind: SECTION_CORE, content: [core] },
      { kind: SECTION_POLICY, content: [wasm] },
      { kind: SECTION_IMAGE, content: [emitted.image] },
      { kind: SECTION_RULES, content: writeRules(program, emitted.derivedRoles, sections.rules) },
      { kind: SECTION_SCHEMAS, content: sections.schemas.write(program.schemaSets, set.schemas) },
      ...(emitted.module.usesZones
        ? [{ kind: SECTION_ZONES, content: [Buffer.from(ZONES_PACKED, "base64")] }]
        : []),
    ],
    { digests: sections.digests, ...(allocate === undefined ? {} : { allocate }) },
  );
}

function writeManifest(
  { emitted, program, set, sources, stamp }: BundleInput,
  kept: SectionTexts,
): readonly Uint8Array[] {
  const { policyDigest, list } = kept.sources.write(sources);
  const head = {
    formatVersion: BUNDLE_FORMAT_VERSION,
    abiVersion: ABI_VERSION,
    compiler: "edict 0.1.0",
    policyDigest,
  };
  const tail = {
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
    ...(stamp?.sequence === undefined ? {} : { sequence: stamp.sequence }),
    ...(stamp?.gitCommit === undefined ? {} : { gitCommit: stamp.gitCommit }),
  };
  return [
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},"sources":[`),
    ...list,
    Buffer.from(`],${JSON.stringify(tail).slice(1)}`),
  ];
}
