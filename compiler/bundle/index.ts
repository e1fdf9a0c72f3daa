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
import type { AssemblyScript } from "../assemble/asc.ts";
import { assemble } from "../assemble/index.ts";
import type { ObjectCache } from "../assemble/object-cache.ts";
import type { Emitted } from "../emit/index.ts";
import type { Program } from "../ir/program.ts";
import type { SourceFile } from "../load/index.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { ZONES_PACKED, ZONES_VERSION } from "../time-zones/database.ts";
import { pack } from "./file.ts";
import { type RuleFragments, writeRules } from "./rules.ts";

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
}

/** What making a bundle remembers: compiled functions, a compiler that is warm, and digests of sources that are the same objects. */
export interface BundleMemory {
  readonly objects: ObjectCache;
  readonly assemblyScript: AssemblyScript;
  /** By source: its entry in the manifest. */
  readonly digests: WeakMap<SourceFile, SourceEntry>;
  readonly rules: RuleFragments;
  /** JSON text of schema documents that are objects. */
  readonly schemas: WeakMap<object, string>;
}

/** A source in the manifest. */
interface SourceEntry {
  readonly path: string;
  readonly digest: string;
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
  const { emitted, program, set, core } = input;
  const wasm = await assemble(emitted.module, input.memory?.objects, input.memory?.assemblyScript);
  const encoder = new TextEncoder();
  return pack([
    { kind: SECTION_MANIFEST, content: encoder.encode(JSON.stringify(manifest(input))) },
    { kind: SECTION_CORE, content: core },
    { kind: SECTION_POLICY, content: wasm },
    { kind: SECTION_IMAGE, content: emitted.image },
    {
      kind: SECTION_RULES,
      content: encoder.encode(writeRules(program, emitted.derivedRoles, input.memory?.rules)),
    },
    {
      kind: SECTION_SCHEMAS,
      content: encoder.encode(writeSchemas(program, set, input.memory?.schemas)),
    },
    ...(emitted.module.usesZones
      ? [{ kind: SECTION_ZONES, content: Buffer.from(ZONES_PACKED, "base64") }]
      : []),
  ]);
}

function writeSchemas(
  program: Program,
  { schemas }: PolicySet,
  kept = new WeakMap<object, string>(),
): string {
  const documents = [...schemas]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, document]) => {
      const isKept = typeof document === "object" && document !== null;
      const text = (isKept ? kept.get(document) : undefined) ?? JSON.stringify(document);
      if (isKept) kept.set(document, text);
      return `${JSON.stringify(id)}:${text}`;
    });
  return `{"sets":${JSON.stringify(program.schemaSets)},"documents":{${documents.join()}}}`;
}

function manifest({ emitted, program, set, sources, stamp, memory }: BundleInput): unknown {
  const digests = memory?.digests ?? new WeakMap<SourceFile, SourceEntry>();
  const listed = [...sources]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((source) => {
      let entry = digests.get(source);
      if (entry === undefined) {
        entry = { path: source.path, digest: digest(source.text) };
        digests.set(source, entry);
      }
      return entry;
    });
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
    ...(stamp?.sequence === undefined ? {} : { sequence: stamp.sequence }),
    ...(stamp?.gitCommit === undefined ? {} : { gitCommit: stamp.gitCommit }),
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
