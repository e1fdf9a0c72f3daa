/**
 * The manifest of a bundle: versions, sources, sizes and counts, checked field by field because it sizes memory
 * and tables. It says nothing about rules; those are in the rules section (rule-index.ts).
 */
import { ABI_VERSION, BUNDLE_FORMAT_VERSION, IMAGE_BASE } from "../../assembly/abi.ts";
import { BundleError, type BundleErrorCode } from "../errors.ts";

export interface BundleManifest {
  readonly formatVersion: number;
  readonly abiVersion: number;
  /** Name and version of the compiler, as in `edict 0.1.0`. */
  readonly compiler: string;
  /** SHA-256 over the sources, hex. */
  readonly policyDigest: string;
  /** May be a getter, which copies of the manifest do not have. */
  readonly sources: readonly { readonly path: string; readonly digest: string }[];
  /** Bytes of linear memory from address 0 up to the host's input region. */
  readonly memory: { readonly fixed: number };
  /** Functions that the policy module exports as `c0..` and `o0..`. */
  readonly functions: { readonly conditions: number; readonly outputs: number };
  /** Attributes that some policy reads; the decoder keeps only those. */
  readonly attributes: readonly { readonly root: string; readonly key: string }[];
  /** How many of everything the bundle has, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Whether any policy names a JSON schema. */
  readonly schemasUsed: boolean;
  /** Version of the time zones that the bundle has, null for none. */
  readonly timeZones: string | null;
  /** Grows from one bundle to the next; a daemon does not go back to a smaller one. Null when the bundle has none. */
  readonly sequence: number | null;
  /** The git commit whose files these policies are, hex; null when that is not known. */
  readonly gitCommit: string | null;
}

/** Largest fixed region accepted, in bytes: tables of far more than a million rules. */
const MAX_FIXED = 1024 * 1024 * 1024;

/** Most functions accepted in the policy module; bounds the table that the host grows. */
const MAX_FUNCTIONS = 4_000_000;

/** Parses and checks the manifest section. Throws `BundleError`. */
export function parseManifest(bytes: Uint8Array): BundleManifest {
  const json = decodeText(bytes, "manifest");
  const rest = withoutSources(json);
  if (rest !== undefined) {
    const manifest = record(parseText(rest, "manifest"), "manifest");
    // What is given twice counts where it stands last.
    if (!("sources" in manifest)) return new ManifestOverBytes(readFields(manifest), bytes);
  }
  const manifest = record(parseText(json, "manifest"), "manifest");
  return { ...readFields(manifest), sources: readSources(manifest["sources"]) };
}

/**
 * A manifest whose sources are parsed when somebody asks, which few do and never while serving: 40,000 policies have as many. Their form has been
 * checked. Threads that are sent a manifest get what is its own, and so none of them.
 */
class ManifestOverBytes implements BundleManifest {
  declare readonly formatVersion: number;
  declare readonly abiVersion: number;
  declare readonly compiler: string;
  declare readonly policyDigest: string;
  declare readonly memory: BundleManifest["memory"];
  declare readonly functions: BundleManifest["functions"];
  declare readonly attributes: BundleManifest["attributes"];
  declare readonly counts: BundleManifest["counts"];
  declare readonly schemasUsed: boolean;
  declare readonly timeZones: string | null;
  declare readonly sequence: number | null;
  declare readonly gitCommit: string | null;
  readonly #bytes: Uint8Array;

  constructor(fields: Omit<BundleManifest, "sources">, bytes: Uint8Array) {
    Object.assign(this, fields);
    this.#bytes = bytes;
  }

  get sources(): BundleManifest["sources"] {
    return readSources(record(parseJson(this.#bytes, "manifest"), "manifest")["sources"]);
  }
}

/** What a manifest begins with as the compiler writes it, up to its sources. */
const HEAD =
  /^(\{"formatVersion":\d{1,5},"abiVersion":\d{1,5},"compiler":"[\w. -]{0,64}","policyDigest":"\w{0,64}"),"sources":\[/;

/** What stands around path and digest of a source. */
const BEFORE_PATH = '{"path":"';
const BEFORE_DIGEST = '","digest":"';
const AFTER_DIGEST = '"}';

/** What strings as the compiler writes them have none of, unless a path is a strange one. */
// oxlint-disable-next-line no-control-regex -- JSON has none of them within strings
const ESCAPED = /[\\\u0000-\u001f]/;

/** The text of a manifest without its sources when these are well-formed, as the compiler writes them; nothing otherwise. */
function withoutSources(json: string): string | undefined {
  const head = HEAD.exec(json);
  if (head === null) return undefined;
  const [all, kept = ""] = head;
  for (let at = all.length; ;) {
    if (!json.startsWith(BEFORE_PATH, at)) return undefined;
    const path = json.indexOf('"', at + BEFORE_PATH.length);
    if (path < 0 || !json.startsWith(BEFORE_DIGEST, path)) return undefined;
    const digest = json.indexOf('"', path + BEFORE_DIGEST.length);
    if (digest < 0 || !json.startsWith(AFTER_DIGEST, digest)) return undefined;
    const end = digest + AFTER_DIGEST.length;
    if (json[end] === "]") {
      return ESCAPED.test(json.slice(all.length, end)) ? undefined : kept + json.slice(end + 1);
    }
    if (json[end] !== ",") return undefined;
    at = end + 1;
  }
}

function readSources(value: unknown): BundleManifest["sources"] {
  return list(value, "sources").map((item) => {
    const source = record(item, "sources");
    return { path: text(source["path"], "sources.path"), digest: text(source["digest"], "sources.digest") };
  });
}

function readFields(manifest: Record<string, unknown>): Omit<BundleManifest, "sources"> {
  const formatVersion = integer(manifest["formatVersion"], "formatVersion", 1, 0xffff);
  const abiVersion = integer(manifest["abiVersion"], "abiVersion", 0, 0xffff);
  if (formatVersion !== BUNDLE_FORMAT_VERSION) {
    fail(
      `the manifest has format version ${formatVersion}, this edict reads version ${BUNDLE_FORMAT_VERSION}`,
      "EDICT_BUNDLE_ABI",
    );
  }
  if (abiVersion !== ABI_VERSION) {
    fail(
      `the bundle was built for ABI version ${abiVersion}, this edict runs version ${ABI_VERSION}`,
      "EDICT_BUNDLE_ABI",
    );
  }
  const memory = record(manifest["memory"], "memory");
  const functions = record(manifest["functions"], "functions");
  return {
    formatVersion,
    abiVersion,
    compiler: text(manifest["compiler"], "compiler"),
    policyDigest: text(manifest["policyDigest"], "policyDigest"),
    memory: { fixed: integer(memory["fixed"], "memory.fixed", IMAGE_BASE, MAX_FIXED) },
    functions: {
      conditions: integer(functions["conditions"], "functions.conditions", 0, MAX_FUNCTIONS),
      outputs: integer(functions["outputs"], "functions.outputs", 0, MAX_FUNCTIONS),
    },
    attributes: list(manifest["attributes"], "attributes").map((item) => {
      const attribute = record(item, "attributes");
      return {
        root: text(attribute["root"], "attributes.root"),
        key: text(attribute["key"], "attributes.key"),
      };
    }),
    counts: Object.fromEntries(
      Object.entries(record(manifest["counts"], "counts")).map(([name, count]) => [
        name,
        integer(count, `counts.${name}`, 0, Number.MAX_SAFE_INTEGER),
      ]),
    ),
    schemasUsed: record(manifest["schemas"] ?? {}, "schemas")["used"] === true,
    timeZones: manifest["timeZones"] === undefined ? null : text(manifest["timeZones"], "timeZones"),
    sequence:
      manifest["sequence"] === undefined
        ? null
        : integer(manifest["sequence"], "sequence", 0, Number.MAX_SAFE_INTEGER),
    gitCommit: manifest["gitCommit"] === undefined ? null : commit(manifest["gitCommit"]),
  };
}

/** How many of the sources are policies, not schemas. */
export function policyFiles(manifest: BundleManifest): number {
  return manifest.sources.filter(({ path }) => !path.startsWith("_schemas/")).length;
}

/** Parses a JSON section, naming it when it is not JSON. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  return parseText(decodeText(bytes, name), name);
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail(`the ${name} section is not valid JSON`);
  }
}

function parseText(json: string, name: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return fail(`the ${name} section is not valid JSON`);
  }
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail(`\`${field}\` is not an object`);
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, field: string): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : fail(`\`${field}\` is not a list`);
}

function text(value: unknown, field: string): string {
  return typeof value === "string" ? value : fail(`\`${field}\` is not a string`);
}

function integer(value: unknown, field: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
    return fail(`\`${field}\` is not a whole number from ${least} to ${most}`);
  }
  return value;
}

/** SHA-1 or SHA-256, as git has them. It ends up in logs and headers, so nothing else may. */
function commit(value: unknown): string {
  const name = text(value, "gitCommit");
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name) ? name : fail("`gitCommit` is not a commit");
}

function fail(reason: string, code: BundleErrorCode = "EDICT_BUNDLE_MALFORMED"): never {
  throw new BundleError(reason.startsWith("the ") ? reason : `the manifest is invalid: ${reason}`, { code });
}
