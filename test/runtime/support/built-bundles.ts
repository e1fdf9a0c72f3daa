/** Bundles as `edict compile` makes them, with a sequence and recorded decisions, and ones that somebody has tampered with. */
import { brotliCompressSync, constants } from "node:zlib";
import {
  BUNDLE_ENTRY_SIZE,
  BUNDLE_HEADER_SIZE,
  SECTION_CORE,
  SECTION_IMAGE,
  SECTION_MANIFEST,
  SECTION_POLICY,
  SECTION_SELF_TEST,
  SECTION_ZONES,
} from "../../../assembly/abi.ts";
import { addSelfTest } from "../../../runtime/bundle/record-self-test.ts";
import { withSection } from "../../../runtime/bundle/bundle-writer.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { CompilePool } from "../../../runtime/pool/compile-pool.ts";
import { type Section, writeBundle } from "./bundle-writer.ts";
import { temporaryDirectory, writeFiles } from "./daemon.ts";

/** Compiles policies; `sequence` null for none. */
export async function buildBundle(
  files: Readonly<Record<string, string>>,
  sequence: number | null,
): Promise<Uint8Array> {
  const directory = await temporaryDirectory();
  const pool = new CompilePool();
  try {
    await writeFiles(directory.path, files);
    const { bundle, rendered, selfTestRequests } = await pool.compile({
      directory: directory.path,
      selfTest: true,
      stamp: sequence === null ? {} : { sequence },
    });
    if (bundle === null) throw new Error(rendered ?? "the policies do not compile");
    return await addSelfTest(bundle, directory.path, selfTestRequests ?? []);
  } finally {
    await pool.close();
    await directory.remove();
  }
}

export function sectionsOf(file: Uint8Array): Section[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: view.getUint32(12, true) }, (_, index) => {
    const at = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
    const start = view.getUint32(at + 8, true);
    const bytes = file.slice(start, start + view.getUint32(at + 12, true));
    return { kind: view.getUint32(at, true), bytes };
  });
}

/** The bundle with one section replaced or added, and digests that fit. */
export function withReplaced(file: Uint8Array, kind: number, bytes: Uint8Array): Uint8Array {
  const sections = sectionsOf(file);
  return writeBundle(
    sections.some((section) => section.kind === kind)
      ? sections.map((section) => (section.kind === kind ? { kind, bytes } : section))
      : [...sections, { kind, bytes }],
  );
}

/** The bundle with other members in its manifest. */
export function withManifest(file: Uint8Array, change: Readonly<Record<string, unknown>>): Uint8Array {
  const bytes = sectionsOf(file).find(({ kind }) => kind === SECTION_MANIFEST)?.bytes;
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as object;
  return withReplaced(
    file,
    SECTION_MANIFEST,
    new TextEncoder().encode(JSON.stringify({ ...manifest, ...change })),
  );
}

/** The bundle with the recorded decisions of itself and the policies of `other`. */
export function withPoliciesOf(file: Uint8Array, other: Uint8Array): Uint8Array {
  const { image, policy, manifest } = readBundle(other);
  return withManifest(withSection(withSection(file, SECTION_IMAGE, image), SECTION_POLICY, policy), {
    memory: manifest.memory,
    functions: manifest.functions,
  });
}

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A type section with the function type () -> (). */
const VOID = [1, 4, 1, 0x60, 0, 0];

/** A WASM module that imports the function `env.exit`. */
const IMPORTS_EXIT = (() => {
  const body = [1, 3, ...Buffer.from("env"), 4, ...Buffer.from("exit"), 0, 0];
  return Uint8Array.from([...MAGIC, ...VOID, 2, body.length, ...body]);
})();

/** A WASM module that traps when it is instantiated. */
const TRAPS_AT_START = Uint8Array.from([...MAGIC, ...VOID, 3, 2, 1, 0, 8, 1, 0, 10, 5, 1, 3, 0, 0, 0x0b]);

function deep(levels: number): Uint8Array {
  return new TextEncoder().encode("[".repeat(levels));
}

/** What can be wrong with the content of a bundle whose digests are right: name, the file, the code of the refusal. */
export function poisoned(
  file: Uint8Array,
): readonly (readonly [name: string, file: Uint8Array, code: string])[] {
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const bomb = brotliCompressSync(new Uint8Array(256 * 1024 * 1024), quick);
  return [
    ["another ABI version", withManifest(file, { abiVersion: 1 }), "EDICT_BUNDLE_ABI"],
    ["another format version", withManifest(file, { formatVersion: 9 }), "EDICT_BUNDLE_ABI"],
    [
      "a core that imports what it may not",
      withReplaced(file, SECTION_CORE, IMPORTS_EXIT),
      "EDICT_BUNDLE_IMPORTS",
    ],
    [
      "policies that import what they may not",
      withReplaced(file, SECTION_POLICY, IMPORTS_EXIT),
      "EDICT_BUNDLE_IMPORTS",
    ],
    ["policies that trap at once", withReplaced(file, SECTION_POLICY, TRAPS_AT_START), "EDICT_BUNDLE_START"],
    [
      "policies that are no WASM",
      withReplaced(file, SECTION_POLICY, Uint8Array.of(1, 2, 3)),
      "EDICT_BUNDLE_MALFORMED",
    ],
    ["zones that unpack to 256 MiB", withReplaced(file, SECTION_ZONES, bomb), "EDICT_BUNDLE_MALFORMED"],
    [
      "a manifest nested a million deep",
      withReplaced(file, SECTION_MANIFEST, deep(1_000_000)),
      "EDICT_BUNDLE_MALFORMED",
    ],
    [
      "a self-test nested deeply",
      withReplaced(file, SECTION_SELF_TEST, deep(200_000)),
      "EDICT_BUNDLE_MALFORMED",
    ],
    ["a memory that cannot be", withManifest(file, { memory: { fixed: 2 ** 40 } }), "EDICT_BUNDLE_MALFORMED"],
    ["a commit that is none", withManifest(file, { gitCommit: "main\n" }), "EDICT_BUNDLE_MALFORMED"],
    ["a sequence that is none", withManifest(file, { sequence: -1 }), "EDICT_BUNDLE_MALFORMED"],
  ];
}

/** What can be wrong with the table of sections: name, the file, the code of the refusal. */
export function withBadSizes(
  file: Uint8Array,
): readonly (readonly [name: string, file: Uint8Array, code: string])[] {
  const change = (at: number, value: number): Uint8Array => {
    const changed = file.slice();
    new DataView(changed.buffer).setUint32(at, value, true);
    return changed;
  };
  const [offset, length] = [BUNDLE_HEADER_SIZE + 8, BUNDLE_HEADER_SIZE + 12];
  return [
    ["a section of 4 GiB", change(length, 0xffff_ffff), "EDICT_BUNDLE_TOO_LARGE"],
    ["a section over its limit", change(length, 64 * 1024 * 1024 + 1), "EDICT_BUNDLE_TOO_LARGE"],
    ["a section that ends behind the file", change(length, 64 * 1024 * 1024), "EDICT_BUNDLE_MALFORMED"],
    ["a section that begins behind the file", change(offset, 0xffff_fff8), "EDICT_BUNDLE_MALFORMED"],
    ["a section inside the table", change(offset, 16), "EDICT_BUNDLE_MALFORMED"],
    ["four billion sections", change(12, 0xffff_ffff), "EDICT_BUNDLE_MALFORMED"],
    ["no sections", change(12, 0), "EDICT_BUNDLE_MALFORMED"],
  ];
}
