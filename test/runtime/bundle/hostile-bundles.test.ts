/**
 * Bundles that somebody broke, or made to break the reader: truncated and flipped ones, and ones whose digests are right but
 * whose sections are not what they say. Each is refused with a typed error before anything is served.
 */
import { beforeAll, describe, expect, it } from "vitest";
import {
  BUNDLE_ENTRY_SIZE,
  BUNDLE_HEADER_SIZE,
  SECTION_CORE,
  SECTION_IMAGE,
  SECTION_MANIFEST,
  SECTION_POLICY,
  SECTION_RULES,
  SECTION_SCHEMAS,
  SECTION_ZONES,
} from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/index.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { parseRuleIndex } from "../../../runtime/bundle/rule-index.ts";
import { BundleError, EdictError } from "../../../runtime/errors.ts";
import { Random } from "../../differential/random.ts";
import { BUILD_CORE, bundleOf, CORE_IS_BUILT } from "../../support/engines.ts";
import { type Section, writeBundle } from "../support/bundle-writer.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: album
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: timestamp(R.attr.at).getHours("Europe/Berlin") > 3
`;

const NAMES = [
  SECTION_MANIFEST,
  SECTION_CORE,
  SECTION_POLICY,
  SECTION_IMAGE,
  SECTION_RULES,
  SECTION_SCHEMAS,
  SECTION_ZONES,
];

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A type section with the function type () -> (). */
const VOID = [1, 4, 1, 0x60, 0, 0];

function text(name: string): readonly number[] {
  return [name.length, ...Buffer.from(name)];
}

/** A module that imports something of the given kind (its bytes after the names). */
function importing(module: string, name: string, kind: readonly number[]): Uint8Array {
  const body = [1, ...text(module), ...text(name), ...kind];
  return Uint8Array.from([...MAGIC, ...VOID, 2, body.length, ...body]);
}

const FUNCTION = [0, 0];
const MEMORY = [2, 0, 1];
const TABLE = [1, 0x70, 0, 1];
const GLOBAL = [3, 0x7f, 0];
const NO_EXPORTS = Uint8Array.from(MAGIC);
const TRAPS_AT_START = Uint8Array.from([...MAGIC, ...VOID, 3, 2, 1, 0, 8, 1, 0, 10, 5, 1, 3, 0, 0, 0x0b]);

/** What loading throws, or `loaded`. */
async function refusal(bundle: Uint8Array): Promise<unknown> {
  try {
    await Engine.load(bundle);
  } catch (error) {
    return error;
  }
  return "loaded";
}

/** The same without starting a guest, unless told to, which takes its time; rules are read too. */
async function read(bundle: Uint8Array, start: boolean): Promise<unknown> {
  try {
    parseRuleIndex(readBundle(bundle).rules);
  } catch (error) {
    return error;
  }
  return start ? refusal(bundle) : "loaded";
}

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "hostile bundles" : `hostile bundles (${BUILD_CORE})`, () => {
  let file: Uint8Array;
  let sections: readonly Section[];

  beforeAll(async () => {
    file = await bundleOf([{ path: "album.yaml", text: POLICY }]);
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    sections = Array.from({ length: view.getUint32(12, true) }, (_, index) => {
      const at = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
      const start = view.getUint32(at + 8, true);
      const bytes = file.slice(start, start + view.getUint32(at + 12, true));
      return { kind: view.getUint32(at, true), bytes };
    });
  });

  /** The bundle with one section replaced, and digests that fit. */
  function sealed(kind: number, bytes: Uint8Array): Uint8Array {
    return writeBundle(sections.map((section) => (section.kind === kind ? { kind, bytes } : section)));
  }

  it("of which the honest one loads, written anew too", async () => {
    expect(NAMES).toEqual(expect.arrayContaining(sections.map(({ kind }) => kind)));
    expect(await refusal(file)).toBe("loaded");
    expect(await refusal(writeBundle(sections))).toBe("loaded");
  });

  it("are refused when they are cut off anywhere", () => {
    const random = new Random(1);
    for (let turn = 0; turn < 400; turn += 1) {
      const length = turn < 200 ? turn * 2 : random.below(file.length);
      expect(() => readBundle(file.subarray(0, length)), `${length} bytes`).toThrow(BundleError);
    }
  });

  it("are refused when a bit is flipped anywhere that counts", () => {
    const random = new Random(2);
    for (let turn = 0; turn < 600; turn += 1) {
      const at =
        turn < 300
          ? random.below(BUNDLE_HEADER_SIZE + sections.length * BUNDLE_ENTRY_SIZE)
          : random.below(file.length);
      const broken = file.slice();
      broken[at] = (broken[at] ?? 0) ^ (1 << random.below(8));
      expect(() => readBundle(broken), `byte ${at}`).toThrow(BundleError);
    }
  });

  it.each([
    ["a function of the host", importing("env", "exit", FUNCTION)],
    ["a global of the host", importing("env", "memory", GLOBAL)],
    ["a table of the host", importing("env", "table", TABLE)],
    ["a second memory", importing("env", "memory2", MEMORY)],
    ["a system interface", importing("wasi_snapshot_preview1", "fd_write", FUNCTION)],
    ["a module without a name", importing("", "", FUNCTION)],
    ["an object's own property", importing("__proto__", "toString", FUNCTION)],
  ])("are refused when core imports %s", async (_name, module) => {
    expect(String(await refusal(sealed(SECTION_CORE, module)))).toMatch(/the core module imports/);
  });

  it.each([
    ["a function of the host", importing("env", "abort", FUNCTION), /imports `env\.abort`/],
    ["a module that there is not", importing("host", "exit", FUNCTION), /imports `host\.exit`/],
    ["what core does not export", importing("core", "nothing", FUNCTION), /cannot be linked/],
    ["what core exports as something else", importing("core", "table", FUNCTION), /cannot be linked/],
    ["what every object has", importing("core", "toString", FUNCTION), /cannot be linked/],
  ])("are refused when the policy module imports %s", async (_name, module, reason) => {
    const error = await refusal(sealed(SECTION_POLICY, module));
    expect(error).toBeInstanceOf(BundleError);
    expect(String(error)).toMatch(reason);
  });

  it.each([
    [SECTION_CORE, NO_EXPORTS, /cannot be started/],
    [SECTION_CORE, TRAPS_AT_START, /cannot be linked/],
    [SECTION_CORE, new Uint8Array(0), /not valid WASM/],
    [SECTION_POLICY, NO_EXPORTS, /does not export `c0`/],
    [SECTION_POLICY, TRAPS_AT_START, /cannot be linked/],
    [SECTION_POLICY, Uint8Array.from([0, 0x61, 0x73, 0x6d]), /not valid WASM/],
    [SECTION_ZONES, new Uint8Array(100), /zones section/],
    [SECTION_IMAGE, new Uint8Array(0), /./],
    [SECTION_IMAGE, new Uint8Array(16 * 1024 * 1024), /./],
  ])("are refused with a section %i that is something else", async (kind, bytes, reason) => {
    const error = await refusal(sealed(kind, bytes));
    expect(error).toBeInstanceOf(EdictError);
    expect(String(error)).toMatch(reason);
  });

  it.each([SECTION_MANIFEST, SECTION_RULES, SECTION_ZONES, SECTION_SCHEMAS])(
    "load or are refused with a typed error when section %i is damaged and sealed again",
    async (kind) => {
      const honest = sections.find((section) => section.kind === kind)?.bytes;
      if (honest === undefined) return;
      const random = new Random(kind);
      for (let turn = 0; turn < 150; turn += 1) {
        let bytes = honest.slice(0, turn % 5 === 0 ? random.below(honest.length) : honest.length);
        for (let left = 1 + random.below(3); left > 0 && bytes.length > 0; left -= 1) {
          const at = random.below(bytes.length);
          const digit = 0x30 + random.below(10);
          bytes[at] = random.chance(0.5) ? digit : random.below(256);
          if (random.chance(0.3))
            bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + random.below(20))]);
        }
        const outcome = await read(sealed(kind, bytes), turn % 10 === 0);
        if (outcome !== "loaded") expect(outcome, `turn ${turn}`).toBeInstanceOf(EdictError);
      }
    },
  );

  it("are refused when the manifest asks for more than there can be", async () => {
    const manifest: unknown = JSON.parse(
      new TextDecoder().decode(sections.find(({ kind }) => kind === SECTION_MANIFEST)?.bytes),
    );
    for (const change of [
      { functions: { conditions: 4_000_000, outputs: 4_000_000 } },
      { functions: { conditions: 1, outputs: 1 } },
      { memory: { fixed: 1024 * 1024 * 1024 } },
      { memory: { fixed: 1024 * 1024 + 1 } },
    ]) {
      const bytes = new TextEncoder().encode(JSON.stringify({ ...(manifest as object), ...change }));
      const outcome = await refusal(sealed(SECTION_MANIFEST, bytes));
      if (outcome !== "loaded") expect(outcome).toBeInstanceOf(EdictError);
    }
  });
});
