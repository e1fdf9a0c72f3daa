/**
 * What came over the admin API, on disk for the next start: `directory.log` in the state directory, a list of frames, one per acknowledged
 * request. A request is in it, flushed, before it is acknowledged. When it has grown enough it is written anew, as short as possible.
 *
 *   ┌────────────┬─────────────────────────────────┬─────────┐
 *   │ u32 length │ first 16 bytes of the SHA-256   │ changes │   little-endian; after eight bytes that say what it is
 *   └────────────┴─────────────────────────────────┴─────────┘
 *
 * A last frame that is incomplete was never acknowledged and is cut off. Damage anywhere else is not ours to guess about: it is refused.
 */
import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DirectoryError, StateError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import { flushDirectory } from "../source/durable-file.ts";
import { ChangeList } from "./change-list.ts";
import type { Entity } from "./entity-set.ts";

const LOG_FILE = "directory.log";
const MAGIC = Buffer.from("EDICTDL1", "latin1");
const DIGEST_SIZE = 16;
const FRAME_HEAD = 4 + DIGEST_SIZE;

/** Most bytes of the changes of one request. */
export const MAX_CHANGES = 64 * 1024 * 1024;

/** Bytes of changes per frame when the log is written anew. */
const REWRITTEN_FRAME = 1024 * 1024;

/** Below this many bytes the log is never written anew. */
const MIN_REWRITE = 8 * 1024 * 1024;

const OWNER_ONLY = 0o600;

/** What a log is written anew from. */
export type Snapshot = Iterable<{ readonly entity: Entity; readonly removes: boolean }>;

export class PushLog {
  readonly #directory: string;
  #file: FileHandle;
  #size: number;
  /** Size after which it is written anew. */
  #limit = MIN_REWRITE;
  /** Whether the file may not hold what it should, or not be found again, because something could not be flushed. */
  #isDoubtful = false;

  /**
   * Opens the log of a state directory; `replay` gets the changes of every frame, in order, and is waited for. Throws `StateError` when it
   * cannot be read or is damaged.
   */
  static async open(directory: string, replay: (changes: Buffer) => Promise<void>): Promise<PushLog> {
    const path = join(directory, LOG_FILE);
    try {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      const file = await open(path, flags, OWNER_ONLY);
      try {
        const size = await readFrames(file, path, replay);
        await file.sync();
        await flushDirectory(directory);
        return new PushLog(directory, file, size);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof StateError || error instanceof DirectoryError) throw error;
      throw new StateError(`\`${path}\` cannot be used: ${oneLine(error)}`, { cause: error });
    }
  }

  private constructor(directory: string, file: FileHandle, size: number) {
    this.#directory = directory;
    this.#file = file;
    this.#size = size;
  }

  /** Whether it is time to write it anew. */
  get isLong(): boolean {
    return this.#size > this.#limit;
  }

  /** Keeps the changes of a request. When it rejects (`DirectoryError`), they are not kept. */
  async append(changes: Buffer, snapshot: () => Snapshot): Promise<void> {
    try {
      if (this.#isDoubtful) await this.#rewrite(snapshot());
      const frame = Buffer.concat([frameHead(changes), changes]);
      await writeAll(this.#file, frame, this.#size);
      await this.#file.datasync();
      this.#size += frame.byteLength;
    } catch (error) {
      // What was written is cut off by the next append, which replaces the file: after a failed flush nobody knows what it holds.
      this.#isDoubtful = true;
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw new DirectoryError(
        "EDICT_DIRECTORY_NOT_KEPT",
        `the change could not be kept: ${oneLine(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Writes it anew; `snapshot` comes to what is in it. Never rejects: when it fails, the old one stays or the next append writes it anew. */
  async shorten(snapshot: Snapshot): Promise<void> {
    try {
      await this.#rewrite(snapshot);
    } catch (error) {
      this.#limit = this.#size * 2;
      log(`\`${join(this.#directory, LOG_FILE)}\` could not be shortened: ${oneLine(error)}`);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #rewrite(snapshot: Snapshot): Promise<void> {
    const temporary = join(this.#directory, `.${LOG_FILE}.${randomBytes(8).toString("hex")}.tmp`);
    const file = await open(temporary, "wx+", OWNER_ONLY);
    let size = 0;
    try {
      const write = async (bytes: Buffer): Promise<void> => {
        await writeAll(file, bytes, size);
        size += bytes.byteLength;
      };
      await write(MAGIC);
      const changes = new ChangeList(MAX_CHANGES);
      for (const { entity, removes } of snapshot) {
        changes.add(entity, removes);
        if (changes.byteLength < REWRITTEN_FRAME) continue;
        await write(frameHead(changes.bytes));
        await write(changes.bytes);
        changes.clear();
      }
      if (changes.count > 0) {
        await write(frameHead(changes.bytes));
        await write(changes.bytes);
      }
      await file.sync();
      await rename(temporary, join(this.#directory, LOG_FILE));
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await this.#file.close().catch(() => undefined);
    this.#file = file;
    this.#size = size;
    this.#limit = Math.max(MIN_REWRITE, size * 2);
    // As long as its name may be lost, nothing that is in it alone may be acknowledged; the next append tries again.
    this.#isDoubtful = true;
    await flushDirectory(this.#directory);
    this.#isDoubtful = false;
  }
}

function digestOf(changes: Uint8Array): Buffer {
  return createHash("sha256").update(changes).digest().subarray(0, DIGEST_SIZE);
}

function frameHead(changes: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD);
  head.writeUInt32LE(changes.byteLength, 0);
  head.set(digestOf(changes), 4);
  return head;
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, position + at);
    at += bytesWritten;
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** Replays the frames of a file and cuts an incomplete one off its end; returns its size then. */
async function readFrames(
  file: FileHandle,
  path: string,
  replay: (changes: Buffer) => Promise<void>,
): Promise<number> {
  const { size } = await file.stat();
  const magic = await read(file, 0, MAGIC.byteLength);
  if (!magic.equals(MAGIC)) {
    // A file that was made but never written to.
    if (!magic.equals(MAGIC.subarray(0, magic.byteLength)) || size > MAGIC.byteLength) throw damaged(path, 0);
    await file.truncate(0);
    await writeAll(file, MAGIC, 0);
    return MAGIC.byteLength;
  }
  let position = MAGIC.byteLength;
  while (position < size) {
    const head = await read(file, position, FRAME_HEAD);
    const length = head.byteLength === FRAME_HEAD ? head.readUInt32LE(0) : 0;
    const end = position + FRAME_HEAD + length;
    const isCut = head.byteLength < FRAME_HEAD || end > size;
    const changes = isCut ? Buffer.alloc(0) : await read(file, position + FRAME_HEAD, length);
    const isWhole = !isCut && length > 0 && digestOf(changes).equals(head.subarray(4));
    if (!isWhole) {
      if (!isCut && end < size && !(await isZero(file, position, size))) throw damaged(path, position);
      log(`\`${path}\` ends in a change that was never acknowledged; it is cut off`);
      await file.truncate(position);
      return position;
    }
    await replay(changes);
    position = end;
  }
  return position;
}

/** Whether nothing but zeros follow, as when a file was made longer and the machine stopped. */
async function isZero(file: FileHandle, from: number, size: number): Promise<boolean> {
  const step = 1024 * 1024;
  for (let at = from; at < size; at += step) {
    const bytes = await read(file, at, Math.min(step, size - at));
    if (bytes.some((byte) => byte !== 0)) return false;
  }
  return true;
}

function damaged(path: string, position: number): StateError {
  return new StateError(
    `\`${path}\` is damaged at byte ${position}; remove it to start without the entities that were pushed`,
  );
}
