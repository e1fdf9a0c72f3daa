/**
 * The entries of a policy archive (COMPAT.md section 1): zip, tar and gzipped tar, from bytes in memory. Archives are
 * hostile input: nothing is written anywhere, every size is bounded before memory is taken, and what is not understood
 * (encryption, zip64, multi-volume, sparse files) is refused. Judges no contents and does no I/O.
 */
import { crc32, gunzipSync, inflateRawSync } from "node:zlib";

export type ArchiveKind = "zip" | "tar" | "tgz";

export interface ArchiveLimits {
  /** Most entries, directories included. */
  readonly maxEntries: number;
  /** Largest sum of unpacked sizes, in bytes. */
  readonly maxTotalBytes: number;
  /** Largest single unpacked file, in bytes. */
  readonly maxFileBytes: number;
}

export interface ArchiveEntry {
  /** Relative, with forward slashes, without `.` and `..`. */
  readonly path: string;
  /** `link` stands for everything that is neither a file nor a directory. */
  readonly content: Uint8Array | "link" | "too-large";
}

export type Unpacked =
  | { readonly ok: true; readonly entries: readonly ArchiveEntry[] }
  | { readonly ok: false; readonly reason: string };

type Wanted = (path: string) => boolean;

/** What kind of archive a path names, by its extension alone and in lower case only, as in Cerbos. */
export function archiveKind(path: string): ArchiveKind | undefined {
  if (path.endsWith(".zip")) return "zip";
  if (path.endsWith(".tar")) return "tar";
  return path.endsWith(".tar.gz") || path.endsWith(".tgz") ? "tgz" : undefined;
}

/** Unpacks the entries that `wanted` asks for by path. Any damage fails the whole archive: half a policy set is none. */
export function unpack(
  kind: ArchiveKind,
  bytes: Uint8Array,
  limits: ArchiveLimits,
  wanted: Wanted,
): Unpacked {
  if (kind === "zip")
    return readZip(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), limits, wanted);
  if (kind === "tar")
    return readTar(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), limits, wanted);
  try {
    return readTar(gunzipSync(bytes, { maxOutputLength: limits.maxTotalBytes }), limits, wanted);
  } catch (error) {
    return refused(zlibReason(error, limits.maxTotalBytes));
  }
}

function refused(reason: string): Unpacked {
  return { ok: false, reason };
}

function zlibReason(error: unknown, limit: number): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_BUFFER_TOO_LARGE" ? `unpacks to more than ${limit} bytes` : "damaged compressed data";
}

/** The path as the rest of the compiler writes it, or undefined where it points out of the archive. */
function cleanPath(name: string): string | undefined {
  if (name.startsWith("/") || name.includes("\\") || name.includes("\0") || name.includes("\uFFFD"))
    return undefined;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

/** Collects entries under the limits; each method returns why the archive is refused, if it is. */
class Entries {
  readonly list: ArchiveEntry[] = [];
  readonly #seen = new Set<string>();
  readonly #limits: ArchiveLimits;
  readonly #wanted: Wanted;
  #count = 0;
  #bytes = 0;

  constructor(limits: ArchiveLimits, wanted: Wanted) {
    this.#limits = limits;
    this.#wanted = wanted;
  }

  add(name: string, size: number, isLink: boolean, read: () => Uint8Array | string): string | undefined {
    if (++this.#count > this.#limits.maxEntries) return `more than ${this.#limits.maxEntries} entries`;
    const path = cleanPath(name);
    if (path === undefined) return `entry \`${printable(name)}\` points outside of the archive`;
    if (path === "" || name.endsWith("/") || !this.#wanted(path)) return undefined;
    if (this.#seen.has(path)) return `entry \`${printable(path)}\` is given twice`;
    this.#seen.add(path);
    if (isLink) return void this.list.push({ path, content: "link" });
    if (size > this.#limits.maxFileBytes) return void this.list.push({ path, content: "too-large" });
    this.#bytes += size;
    if (this.#bytes > this.#limits.maxTotalBytes)
      return `unpacks to more than ${this.#limits.maxTotalBytes} bytes`;
    const content = read();
    if (typeof content === "string") return `entry \`${printable(path)}\`: ${content}`;
    this.list.push({ path, content });
    return undefined;
  }
}

function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]|`/g, "?").slice(0, 200);
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const END_SIZE = 22;
const LONGEST_COMMENT = 0xffff;

function endOfDirectory(bytes: Buffer): number {
  const lowest = Math.max(0, bytes.length - END_SIZE - LONGEST_COMMENT);
  for (let at = bytes.length - END_SIZE; at >= lowest; at--) {
    if (bytes.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  }
  return -1;
}

function readZip(bytes: Buffer, limits: ArchiveLimits, wanted: Wanted): Unpacked {
  const end = endOfDirectory(bytes);
  if (end < 0) return refused("not a zip archive");
  const count = bytes.readUInt16LE(end + 10);
  if (bytes.readUInt16LE(end + 8) !== count || bytes.readUInt16LE(end + 4) !== 0) {
    return refused("zip archives in several volumes are not supported");
  }
  if (count === 0xffff || bytes.readUInt32LE(end + 16) === 0xffffffff)
    return refused("zip64 is not supported");
  const entries = new Entries(limits, wanted);
  let at = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) return refused("damaged zip directory");
    const nameEnd = at + 46 + bytes.readUInt16LE(at + 28);
    const next = nameEnd + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (next > end) return refused("damaged zip directory");
    const mode = bytes.readUInt32LE(at + 38) >>> 28;
    // Without a Unix mode (0) an entry is a plain file; 8 is a regular file, 4 a directory.
    const isLink = bytes[at + 5] === 3 && mode !== 0 && mode !== 8 && mode !== 4;
    const header = at;
    const name = bytes.toString("utf8", at + 46, nameEnd);
    const problem = entries.add(name, bytes.readUInt32LE(at + 24), isLink, () =>
      zipContent(bytes, header, end),
    );
    if (problem !== undefined) return refused(problem);
    at = next;
  }
  return { ok: true, entries: entries.list };
}

/** The unpacked bytes of the entry whose directory record is at `header`, or why there are none. */
function zipContent(bytes: Buffer, header: number, end: number): Uint8Array | string {
  if ((bytes.readUInt16LE(header + 8) & 1) !== 0) return "encrypted entries are not supported";
  const method = bytes.readUInt16LE(header + 10);
  const packed = bytes.readUInt32LE(header + 20);
  const size = bytes.readUInt32LE(header + 24);
  const local = bytes.readUInt32LE(header + 42);
  if (local + 30 > end || bytes.readUInt32LE(local) !== LOCAL_HEADER) return "damaged zip entry";
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  if (start + packed > end) return "damaged zip entry";
  const data = bytes.subarray(start, start + packed);
  if (method !== 0 && method !== 8) return `compression method ${method} is not supported`;
  let content: Uint8Array = data;
  if (method === 8) {
    try {
      // The size that the directory tells is what was counted against the limits, so nothing above it is unpacked.
      content = inflateRawSync(data, { maxOutputLength: Math.max(size, 1) });
    } catch (error) {
      return zlibReason(error, size);
    }
  }
  const intact = content.length === size && crc32(content) === bytes.readUInt32LE(header + 16);
  return intact ? content : "size or checksum does not match";
}

const BLOCK = 512;
const LONGEST_NAME = 4096;

function readTar(bytes: Buffer, limits: ArchiveLimits, wanted: Wanted): Unpacked {
  const entries = new Entries(limits, wanted);
  let longName: string | undefined;
  let headers = 0;
  for (let at = 0; at < bytes.length;) {
    if (at + BLOCK > bytes.length) return refused("the tar archive is cut off");
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = octal(header, 124, 12);
    if (size === undefined || octal(header, 148, 8) !== checksum(header))
      return refused("damaged tar header");
    // Records that name no file, such as long names, count too.
    if (++headers > 2 * limits.maxEntries) return refused(`more than ${limits.maxEntries} entries`);
    const start = at + BLOCK;
    if (start + size > bytes.length) return refused("the tar archive is cut off");
    const data = bytes.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "g") continue;
    if (type === "L" || type === "x") {
      if (size > LONGEST_NAME) return refused("a name in the tar archive is too long");
      const name = type === "L" ? text(data, 0, size) : paxPath(data);
      if (name === "unsupported") return refused("sparse or oversized tar entries are not supported");
      longName = name ?? longName;
      continue;
    }
    const name = longName ?? tarName(header);
    longName = undefined;
    const isFile = type === "0" || type === "\0" || type === "7";
    const problem =
      type === "5"
        ? entries.add(`${name}/`, 0, false, () => data)
        : entries.add(name, size, !isFile, () => data);
    if (problem !== undefined) return refused(problem);
  }
  return headers === 0 ? refused("not a tar archive, or an empty one") : { ok: true, entries: entries.list };
}

function text(bytes: Buffer, start: number, length: number): string {
  const zero = bytes.indexOf(0, start);
  return bytes.toString("utf8", start, zero < 0 ? start + length : Math.min(zero, start + length));
}

function tarName(header: Buffer): string {
  const prefix = text(header, 257, 6) === "ustar" ? text(header, 345, 155) : "";
  const name = text(header, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

function octal(header: Buffer, start: number, length: number): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(header.toString("latin1", start, start + length))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** The sum of the header's bytes, with the checksum itself as spaces. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  return sum;
}

/** The `path` of an extended header, if it has one; "unsupported" where the header changes how long the file is. */
function paxPath(data: Buffer): string | undefined {
  let path: string | undefined;
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(32, at);
    const length = space < 0 ? 0 : Number(data.toString("latin1", at, space));
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > data.length)
      return "unsupported";
    const record = data.toString("utf8", space + 1, at + length - 1);
    if (record.startsWith("path=")) path = record.slice("path=".length);
    if (/^(?:size=|GNU\.sparse)/.test(record)) return "unsupported";
    at += length;
  }
  return path;
}
