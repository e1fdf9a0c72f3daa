/** Loads the files of a directory of entities into a set, and says how it goes while it takes long. Files are not watched. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { DirectoryError, EdictError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import { EntityReader } from "./entity-reader.ts";
import type { EntitySet } from "./entity-set.ts";

/** Milliseconds between two lines about the progress. */
const PROGRESS = 3_000;

/** Bytes that are read and converted at a time: about 2 ms. */
const CHUNK = 64 * 1024;

const ENTITY_FILE = /\.(?:ndjson|jsonl|json)$/;

/** Adds the entities of files, in order; a directory stands for the files in it. Throws `DirectoryError` naming file, line and column. */
export async function loadFiles(paths: readonly string[], set: EntitySet): Promise<void> {
  let said = performance.now();
  for (const file of await filesOf(paths)) {
    const reader = new EntityReader(file, "all", (entity) => {
      set.put(entity, false);
      set.requireRoom(0, 0);
    });
    try {
      for await (const chunk of createReadStream(file, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
        reader.push(chunk);
        // Requests are served meanwhile when it is a reload.
        await turn();
        if (performance.now() - said < PROGRESS) continue;
        said = performance.now();
        log(`loading the directory: ${set.live} entities so far`);
      }
      reader.end();
    } catch (error) {
      if (error instanceof EdictError) throw error;
      throw unreadable(file, error);
    }
  }
}

/** Files in the order in which they are loaded; those of a directory by name. */
async function filesOf(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) files.push(path);
      else {
        const names = await readdir(path);
        files.push(
          ...names
            .filter((name) => ENTITY_FILE.test(name))
            .sort()
            .map((name) => join(path, name)),
        );
      }
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  return files;
}

function unreadable(path: string, error: unknown): DirectoryError {
  return new DirectoryError("EDICT_DIRECTORY_UNREADABLE", `\`${path}\` cannot be read: ${oneLine(error)}`, {
    cause: error,
  });
}
