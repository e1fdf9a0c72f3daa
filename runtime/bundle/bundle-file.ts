/**
 * Reads a bundle file (`*.edict`) and verifies every byte of it before anything is executed.
 *
 *   0 magic "EDICTBDL" | 8 u32 format version | 12 u32 section count | section table | sections, 8-byte aligned
 *   table entry (48 bytes): 0 u32 kind | 4 u32 zero | 8 u32 offset | 12 u32 length | 16 SHA-256 of the section
 *
 * The bundle digest is the SHA-256 of everything up to the end of the section table, so it covers every section.
 * Gaps between sections are padding and must be zero. Signatures follow the last section as a trailer, outside the digest:
 *
 *   0 magic "EDICTSIG" | 8 u32 length | 12 u32 zero | JSON (signature.ts), which ends the file
 *
 * So no byte of an accepted file is outside the digest but the signatures, which are read as hostile until they verify.
 * It does not compile or run anything and does not check signatures.
 */
import { createHash } from "node:crypto";
import {
  BUNDLE_ENTRY_SIZE,
  BUNDLE_FORMAT_VERSION,
  BUNDLE_HEADER_SIZE,
  SECTION_CORE,
  SECTION_IMAGE,
  SECTION_MANIFEST,
  SECTION_POLICY,
  SECTION_RULES,
  SECTION_SCHEMAS,
  SECTION_SELF_TEST,
  SECTION_ZONES,
} from "../../assembly/abi.ts";
import { BundleError, type BundleErrorCode } from "../errors.ts";
import { type BundleManifest, parseManifest } from "./manifest.ts";
import { SectionDigests } from "./section-digests.ts";

const MAGIC = "EDICTBDL";

/** What a signature trailer begins with. */
export const TRAILER_MAGIC = "EDICTSIG";

/** Bytes of a trailer before its JSON. */
export const TRAILER_HEADER_SIZE = 16;

/** Longest JSON of a trailer in bytes: far more than `MAX_SIGNATURES` need. */
export const MAX_TRAILER_JSON = 32 * 1024;

/** More sections than any known format has; bounds the work on a hostile table. */
const MAX_SECTIONS = 32;

/** Sections start on multiples of this, in bytes. */
const ALIGNMENT = 8;

const MIB = 1024 * 1024;

/** Known section kinds: name, and the largest size in bytes that a reader accepts. */
const SECTIONS: ReadonlyMap<number, { readonly name: string; readonly limit: number }> = new Map([
  [SECTION_MANIFEST, { name: "manifest", limit: 64 * MIB }],
  [SECTION_CORE, { name: "core", limit: 16 * MIB }],
  [SECTION_POLICY, { name: "policy", limit: 256 * MIB }],
  [SECTION_IMAGE, { name: "image", limit: 512 * MIB }],
  [SECTION_RULES, { name: "rules", limit: 512 * MIB }],
  [SECTION_SCHEMAS, { name: "schemas", limit: 64 * MIB }],
  [SECTION_ZONES, { name: "zones", limit: MIB }],
  [SECTION_SELF_TEST, { name: "self-test", limit: 256 * 1024 }],
]);

/** A verified bundle. The sections are views into the file's bytes. */
export interface Bundle {
  /** SHA-256 of header and section table, hex. */
  readonly digest: string;
  /** The first 12 hex digits of the digest: what `Edict-Bundle` carries. */
  readonly shortDigest: string;
  /** Size of the whole file in bytes. */
  readonly size: number;
  readonly manifest: BundleManifest;
  /** The guest core, WASM. */
  readonly core: Uint8Array;
  /** The policy module, WASM. */
  readonly policy: Uint8Array;
  /** Tables and literals, loaded at IMAGE_BASE. */
  readonly image: Uint8Array;
  /** JSON of rules, conditions and derived roles; parsed only when something has to be explained. */
  readonly rules: Uint8Array;
  /** JSON schemas, when the policies have any. */
  readonly schemas: Uint8Array | null;
  /** Time zones by name, compressed, when a condition may ask for one. */
  readonly zones: Uint8Array | null;
  /** JSON of decisions recorded when the bundle was built (self-test.ts); null when none were. */
  readonly selfTest: Uint8Array | null;
  /** JSON of the signature trailer, not yet looked at; null for an unsigned bundle. */
  readonly signatures: Uint8Array | null;
}

interface Entry {
  readonly kind: number;
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Verifies `file` and returns its sections. Throws `BundleError` with the first reason to refuse it.
 * @param digests kept by a caller that reads one version after another; changes nothing but the time it takes
 */
export function readBundle(file: Uint8Array, digests = new SectionDigests()): Bundle {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tableEnd = checkHeader(file, view);
  const entries = readTable(view, tableEnd);
  const signatures = checkLayout(file, view, entries, tableEnd);

  const sections = new Map<number, Uint8Array>();
  for (const [index, entry] of entries.entries()) {
    const bytes = file.subarray(entry.offset, entry.offset + entry.length);
    const at = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE + 16;
    if (Buffer.compare(digests.digest(entry.kind, bytes), file.subarray(at, at + 32)) !== 0) {
      refuse(`the ${entry.name} section does not match its digest`, "EDICT_BUNDLE_DIGEST");
    }
    sections.set(entry.kind, bytes);
  }

  const digest = createHash("sha256").update(file.subarray(0, tableEnd)).digest("hex");
  return {
    digest,
    shortDigest: digest.slice(0, 12),
    size: file.byteLength,
    manifest: parseManifest(section(sections, SECTION_MANIFEST)),
    core: section(sections, SECTION_CORE),
    policy: section(sections, SECTION_POLICY),
    image: section(sections, SECTION_IMAGE),
    rules: section(sections, SECTION_RULES),
    schemas: sections.get(SECTION_SCHEMAS) ?? null,
    zones: sections.get(SECTION_ZONES) ?? null,
    selfTest: sections.get(SECTION_SELF_TEST) ?? null,
    signatures,
  };
}

/** Checks magic, version and the table's extent; returns where the section table ends. */
function checkHeader(file: Uint8Array, view: DataView): number {
  if (file.byteLength < BUNDLE_HEADER_SIZE) refuse("the file is too short to be a bundle");
  for (let index = 0; index < MAGIC.length; index++) {
    if (file[index] !== MAGIC.charCodeAt(index)) refuse("the file is not an edict bundle");
  }
  const version = view.getUint32(8, true);
  if (version !== BUNDLE_FORMAT_VERSION) {
    refuse(
      `the bundle has format version ${version}, this edict reads version ${BUNDLE_FORMAT_VERSION}`,
      "EDICT_BUNDLE_ABI",
    );
  }
  const count = view.getUint32(12, true);
  if (count === 0 || count > MAX_SECTIONS) refuse(`the bundle names ${count} sections`);
  const tableEnd = BUNDLE_HEADER_SIZE + count * BUNDLE_ENTRY_SIZE;
  if (tableEnd > file.byteLength) refuse("the section table is cut off");
  return tableEnd;
}

/** Reads the section table, refusing unknown, repeated, oversized, misaligned or out-of-range sections. */
function readTable(view: DataView, tableEnd: number): Entry[] {
  const entries: Entry[] = [];
  for (let at = BUNDLE_HEADER_SIZE; at < tableEnd; at += BUNDLE_ENTRY_SIZE) {
    const kind = view.getUint32(at, true);
    const offset = view.getUint32(at + 8, true);
    const length = view.getUint32(at + 12, true);
    const known = SECTIONS.get(kind);
    if (known === undefined) return refuse(`the bundle has a section of unknown kind ${kind}`);
    if (entries.some((entry) => entry.kind === kind)) refuse(`the ${known.name} section occurs twice`);
    if (view.getUint32(at + 4, true) !== 0) refuse(`the ${known.name} section has a reserved field set`);
    if (length > known.limit) {
      refuse(
        `the ${known.name} section has ${length} bytes, over the limit of ${known.limit}`,
        "EDICT_BUNDLE_TOO_LARGE",
      );
    }
    if (offset % ALIGNMENT !== 0) refuse(`the ${known.name} section is not aligned to ${ALIGNMENT} bytes`);
    if (offset < tableEnd || offset + length > view.byteLength) {
      refuse(`the ${known.name} section lies outside the file`);
    }
    entries.push({ kind, name: known.name, offset, length });
  }
  return entries;
}

/** Refuses overlapping sections and bytes that belong to nothing; returns the JSON of the signature trailer, if there is one. */
function checkLayout(
  file: Uint8Array,
  view: DataView,
  entries: readonly Entry[],
  tableEnd: number,
): Uint8Array | null {
  let end = tableEnd;
  for (const entry of [...entries].sort(
    (left, right) => left.offset - right.offset || left.length - right.length,
  )) {
    if (entry.offset < end) refuse(`the ${entry.name} section overlaps another`);
    checkPadding(file, end, entry.offset);
    end = entry.offset + entry.length;
  }
  const trailer = alignUp(end);
  if (file.byteLength <= trailer) {
    checkPadding(file, end, file.byteLength);
    return null;
  }
  checkPadding(file, end, trailer);
  return readTrailer(file, view, trailer);
}

/** The JSON of the trailer at `at`, which has to fill the rest of the file. */
function readTrailer(file: Uint8Array, view: DataView, at: number): Uint8Array {
  const start = at + TRAILER_HEADER_SIZE;
  const begins = new TextEncoder().encode(TRAILER_MAGIC).every((byte, index) => file[at + index] === byte);
  if (!begins || start > file.byteLength) return refuse("the file has bytes outside its sections");
  const length = view.getUint32(at + 8, true);
  if (length > MAX_TRAILER_JSON) {
    refuse(
      `the signatures have ${length} bytes, over the limit of ${MAX_TRAILER_JSON}`,
      "EDICT_BUNDLE_TOO_LARGE",
    );
  }
  if (view.getUint32(at + 12, true) !== 0) refuse("the signatures have a reserved field set");
  if (length === 0 || start + length !== file.byteLength) refuse("the signatures do not end the file");
  return file.subarray(start);
}

/** Padding is shorter than the alignment and all zero. */
function checkPadding(file: Uint8Array, start: number, end: number): void {
  if (end - start >= ALIGNMENT || file.subarray(start, end).some((byte) => byte !== 0)) {
    refuse("the file has bytes outside its sections");
  }
}

/** The next multiple of the alignment. */
export function alignUp(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** Where the signature trailer of an accepted file begins, or would. */
export function trailerStart(bundle: Bundle): number {
  return bundle.signatures === null
    ? alignUp(bundle.size)
    : bundle.size - TRAILER_HEADER_SIZE - bundle.signatures.byteLength;
}

function section(sections: ReadonlyMap<number, Uint8Array>, kind: number): Uint8Array {
  return sections.get(kind) ?? refuse(`the bundle has no ${SECTIONS.get(kind)?.name ?? ""} section`);
}

function refuse(reason: string, code: BundleErrorCode = "EDICT_BUNDLE_MALFORMED"): never {
  throw new BundleError(reason, { code });
}
