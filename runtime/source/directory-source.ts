/** A directory (or archive) of policies, compiled in a worker; watched when that is asked for. */
import { compileDirectory, type CompileHint } from "../bundle/policy-source.ts";
import { type DirectoryWatch, watchDirectory } from "../bundle/watch-directory.ts";
import type { PolicySource } from "../config/config.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import type { CompilePool } from "../pool/compile-pool.ts";
import { sourceName } from "./location.ts";
import type { BundleSource, FetchedBundle } from "./source.ts";

/** How long after an edit every file is looked at, in milliseconds: longer than times in file systems are coarse. */
const CHECK_AFTER = 4_000;

export class DirectorySource implements BundleSource {
  readonly name: string;
  readonly #source: PolicySource & { readonly kind: "directory" };
  readonly #compiler: CompilePool;
  /** What changed since the last `fetch`, as far as the watcher has told. */
  #changedFiles: readonly string[] = [];
  /** Whether the next `fetch` looks at every file: at first, after an error, and when something else may have changed. */
  #isForgotten = true;
  /** Whether something that is not known has changed since the last `fetch` began. */
  #isUnclear = false;
  /** Whether the next `fetch` only makes sure that the watcher has missed nothing. */
  #isChecking = false;
  #check: NodeJS.Timeout | null = null;
  #changed: () => void = () => undefined;

  constructor(source: PolicySource & { readonly kind: "directory" }, compiler: CompilePool) {
    this.name = sourceName(source);
    this.#source = source;
    this.#compiler = compiler;
  }

  /** Compiles: what the watcher says has changed, or everything that is not as it was. */
  async fetch(): Promise<FetchedBundle | "unchanged"> {
    const hint = this.#takeHint();
    // Until this has come to its end, what was to be read is not known to have been read.
    this.#isForgotten = true;
    const loaded = await compileDirectory(this.#source, this.#compiler, true, hint);
    this.#isForgotten = this.#isUnclear;
    if (hint.changedFiles !== undefined) this.#checkSoon();
    if (loaded === "unchanged") return loaded;
    return { bytes: loaded.bundle, label: "", warnings: loaded.warnings };
  }

  #takeHint(): CompileHint {
    const files = this.#changedFiles;
    const isChecking = this.#isChecking;
    const isForgotten = this.#isForgotten;
    this.#changedFiles = [];
    this.#isChecking = false;
    this.#isUnclear = false;
    if (isForgotten) return {};
    if (files.length > 0) return { changedFiles: files };
    return isChecking ? { onlyIfChanged: true } : {};
  }

  forget(): void {
    this.#isForgotten = true;
    this.#isUnclear = true;
  }

  /** Systems drop events when there are too many, so every compilation of an edit is followed by a look at all files. */
  #checkSoon(): void {
    if (this.#check !== null) clearTimeout(this.#check);
    this.#check = setTimeout(() => {
      this.#check = null;
      this.#isChecking = true;
      this.#changed();
    }, CHECK_AFTER);
    this.#check.unref();
  }

  #noteChange(files: readonly string[] | null): void {
    if (files === null) this.forget();
    else this.#changedFiles = [...this.#changedFiles, ...files];
  }

  watch(changed: () => void): () => void {
    if (!this.#source.watch) return () => undefined;
    this.#changed = changed;
    let watching: DirectoryWatch | null = null;
    let closed = false;
    const begin = async (): Promise<void> => {
      try {
        watching = await watchDirectory(this.#source.directory, (files) => {
          this.#noteChange(files);
          changed();
        });
        if (closed) watching.close();
      } catch (error) {
        log(`cannot watch \`${this.name}\`: ${oneLine(error)}`);
      }
    };
    void begin();
    return () => {
      closed = true;
      if (this.#check !== null) clearTimeout(this.#check);
      this.#changed = () => undefined;
      watching?.close();
    };
  }
}
