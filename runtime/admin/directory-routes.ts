/**
 * The routes of the admin listener about the directory of entities: what they take and what they answer. A body is read as it arrives, and
 * nothing of it holds before all of it is known to be good.
 */
import { setImmediate as turn } from "node:timers/promises";
import { AdminError, DirectoryError } from "../errors.ts";
import { ChangeList } from "../directory/change-list.ts";
import type { ChangeOutcome, Directory } from "../directory/directory.ts";
import { EntityReader } from "../directory/entity-reader.ts";
import { MAX_CHANGES } from "../directory/push-log.ts";

/** Most bytes of a body. */
const MAX_BODY = 32 * 1024 * 1024;

/** Bodies that are read at a time; each can take as much memory as its changes. */
const MAX_BODIES = 4;

/** What `POST /v1/directory/reload` and changes of entities answer. */
export type DirectoryOutcome = ChangeOutcome;

export class DirectoryRoutes {
  readonly #directory: Directory;
  #bodies = 0;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  get status(): Directory["status"] {
    return this.#directory.status;
  }

  /** Loads the files again. Rejects with `DirectoryError`. */
  reload(): Promise<DirectoryOutcome> {
    return this.#directory.reload();
  }

  /** Adds, replaces or removes the entities of a body, all or none. Rejects with `AdminError` or `DirectoryError`. */
  async change(chunks: AsyncIterable<Buffer>, removes: boolean): Promise<DirectoryOutcome> {
    if (this.#bodies === MAX_BODIES) {
      throw new AdminError("EDICT_ADMIN_BUSY", "too many changes of the directory are being read");
    }
    this.#bodies++;
    try {
      return await this.#directory.change(await readChanges(chunks, removes));
    } finally {
      this.#bodies--;
    }
  }
}

async function readChanges(chunks: AsyncIterable<Buffer>, removes: boolean): Promise<ChangeList> {
  const changes = new ChangeList(MAX_CHANGES);
  const reader = new EntityReader("body", removes ? "key" : "all", (entity) => changes.add(entity, removes));
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.byteLength;
    if (length > MAX_BODY) {
      throw new DirectoryError(
        "EDICT_DIRECTORY_TOO_LARGE",
        `the body is over ${MAX_BODY} bytes; send it in parts`,
      );
    }
    reader.push(chunk);
    // Chunks that have arrived already follow one another without a turn of the event loop.
    await turn();
  }
  reader.end();
  return changes;
}
