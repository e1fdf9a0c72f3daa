/**
 * Where changes that a shadow finds are written: one JSON line each, to a file or to standard error. When the reader is slower than the
 * changes come, lines are left out and counted; nothing waits for them.
 */
import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { oneLine } from "../guest/modules.ts";
import { throttledLog } from "../observe/log.ts";
import type { ShadowChange } from "./decision-change.ts";

/** Bytes that may wait to be written. */
const MAX_UNWRITTEN = 1024 * 1024;

export class ChangeReport {
  readonly #out: Writable;
  readonly #log = throttledLog(10_000);
  #omitted = 0;

  /** `file` is appended to; null for standard error. */
  constructor(file: string | null) {
    this.#out = file === null ? process.stderr : createWriteStream(file, { flags: "a", mode: 0o600 });
    if (file !== null) {
      this.#out.on("error", (error) => this.#log(`the shadow's report cannot be written: ${oneLine(error)}`));
    }
  }

  write(changes: readonly ShadowChange[]): void {
    const at = new Date().toISOString();
    for (const { serving, candidate, ...change } of changes) {
      if (this.#out.destroyed || this.#out.writableLength > MAX_UNWRITTEN) {
        this.#omitted++;
        continue;
      }
      const omitted = this.#omitted === 0 ? {} : { omitted: this.#omitted };
      this.#omitted = 0;
      this.#out.write(
        `${JSON.stringify({ event: "shadow-change", at, serving, candidate, ...change, ...omitted })}\n`,
      );
    }
  }
}
