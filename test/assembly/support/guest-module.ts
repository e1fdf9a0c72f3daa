/**
 * One WASM module with the exports of most of assembly/, for tests of single functions. Optimising it takes asc longer than the tests take, so
 * it is kept under dist/ by a digest of all that it is made from, and of several processes that want it one makes it.
 */
import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { assemblyScriptVersion } from "../../../compiler/assemble/asc.ts";

/** Both builds that every guest test runs in: `debug` has assertions on and no optimisation. */
export const BUILDS = ["debug", "release"] as const;
export type Build = (typeof BUILDS)[number];

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const KEPT = join(ROOT, "dist", "test-guest");
const ENTRY = "test-entry.ts";

/** What is exported; no two modules may export one name. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  memory: ["arena", "fuel", "bytes"],
  value: ["number-text", "parse-go-double", "powers-of-ten"],
  cel: [
    "addresses",
    "arithmetic",
    "comprehension",
    "convert",
    "encoders",
    "equality",
    "format",
    "hierarchy",
    "identity",
    "lists",
    "logic",
    "math",
    "network",
    "optionals",
    "order",
    "path-match",
    "paths",
    "presence",
    "select",
    "sets",
    "size",
    "spiffe",
    "string-extension",
    "strings",
    "time",
    "types",
    "variables",
    "zones",
  ],
  regex: ["unicode"],
  decode: [
    "json",
    "json-build",
    "key-set",
    "known-prefixes",
    "materialize",
    "msgpack",
    "request",
    "validate",
  ],
  decide: ["attributes"],
  encode: ["cursor", "json-string", "json-value", "msgpack-headers", "msgpack-value", "ulid"],
};
const SOURCE = [
  ...Object.entries(MODULES).flatMap(([folder, names]) =>
    names.map((name) => `export * from "./assembly/${folder}/${name}";`),
  ),
  // CEL has a function `matches`, which is another one.
  'export { matches as globMatches } from "./assembly/decide/glob";',
  'export { beginRequest, placeCaches, requestEpoch, setEpoch } from "./assembly/decide/state";',
  'export { chain } from "./assembly/decide/subject";',
  'export { loadTables } from "./assembly/decide/tables";',
].join("\n");

const COMMON_OPTIONS = [
  ["--outFile", "out.wasm", "--runtime", "stub", "--importMemory", "--memoryBase", "4096"],
  ["--use", "abort=", "--enable", "simd,bulk-memory,sign-extension,nontrapping-f2i"],
].flat();
const OPTIONS: Readonly<Record<Build, readonly string[]>> = {
  debug: ["--debug", "--optimizeLevel", "0"],
  release: ["--optimizeLevel", "3", "--shrinkLevel", "0", "--noAssert"],
};

/** Milliseconds after which whoever makes the module is taken for dead. */
const PATIENCE = 240_000;

/** The module's bytes, made when there are none of these sources. */
export async function guestModule(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(KEPT, `${build}-${digestOf(build)}.wasm`);
  const lock = `${file}.lock`;
  mkdirSync(KEPT, { recursive: true });
  for (;;) {
    const kept = readIfThere(file);
    if (kept !== undefined) return kept;
    if (take(lock)) break;
    await sleep(50);
  }
  try {
    const made = readIfThere(file) ?? (await compile(build));
    for (const name of readdirSync(KEPT))
      if (name.startsWith(build) && !name.endsWith(".lock")) rmSync(join(KEPT, name), { force: true });
    const temporary = join(KEPT, randomUUID());
    writeFileSync(temporary, made);
    renameSync(temporary, file);
    return made;
  } finally {
    rmSync(lock, { force: true });
  }
}

function digestOf(build: Build): string {
  const hash = createHash("sha256").update(
    JSON.stringify([assemblyScriptVersion(), SOURCE, COMMON_OPTIONS, OPTIONS[build]]),
  );
  const names = readdirSync(join(ROOT, "assembly"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort();
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(join(ROOT, "assembly", name)));
  return hash.digest("hex").slice(0, 32);
}

function readIfThere(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(readFileSync(file));
  } catch {
    return undefined;
  }
}

/** Whether the lock is this process's now. */
function take(lock: string): boolean {
  const held = statSync(lock, { throwIfNoEntry: false });
  if (held !== undefined && Date.now() - held.mtimeMs > PATIENCE) rmSync(lock, { force: true });
  try {
    closeSync(openSync(lock, "wx"));
    return true;
  } catch {
    return false;
  }
}

async function compile(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const { main } = await import("assemblyscript/asc");
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const log: string[] = [];
  const result = await main([ENTRY, ...OPTIONS[build], ...COMMON_OPTIONS], {
    readFile: async (name) => (name === ENTRY ? SOURCE : read(name)),
    writeFile: (name, contents) => {
      if (name === "out.wasm" && contents instanceof Uint8Array) binary = Uint8Array.from(contents);
    },
    listFiles: () => null,
    stderr: { write: (text) => log.push(String(text)) },
  });
  if (result.error !== null || binary === undefined) {
    throw new Error(`asc failed: ${log.join("")}`, { cause: result.error });
  }
  return binary;
}

function read(name: string): string | null {
  // The repository's own asconfig.json names the core's entry file, which would be compiled in.
  if (name.endsWith("asconfig.json")) return null;
  try {
    return readFileSync(join(ROOT, name), "utf8");
  } catch {
    return null;
  }
}
