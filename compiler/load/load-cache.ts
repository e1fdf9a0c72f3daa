/**
 * Documents kept from one load to the next, so that an edit costs the parsing of one file. A file is known by its path
 * and whole text, so a cache changes only the time that `load` takes, never what it returns.
 */
import { loadPolicy, type LoadedPolicy } from "./load-policy.ts";
import type { SourceFile } from "./policy-document.ts";
import { StringTable } from "./string-table.ts";

interface Kept {
  readonly text: string;
  readonly loaded: LoadedPolicy;
}

/**
 * Parsings after which everything is dropped and parsed anew, for each file: texts of files long gone would otherwise
 * stay in the string table for ever.
 */
const MAX_PARSINGS_PER_FILE = 10;

export class LoadCache {
  private strings = new StringTable();
  private kept = new Map<string, Kept>();
  private parsings = 0;
  /** Files parsed in the latest load: the others were unchanged. */
  parsed = 0;

  /** Loads policy files; only those loaded here are kept for the next time. */
  loadAll(sources: readonly SourceFile[]): readonly LoadedPolicy[] {
    if (this.parsings > MAX_PARSINGS_PER_FILE * (sources.length + 100)) {
      this.kept = new Map();
      this.strings = new StringTable();
      this.parsings = 0;
    }
    const next = new Map<string, Kept>();
    this.parsed = 0;
    const loaded = sources.map((source) => {
      const known = this.kept.get(source.path);
      const kept = known?.text === source.text ? known : this.parse(source);
      next.set(source.path, kept);
      return kept.loaded;
    });
    this.kept = next;
    this.parsings += this.parsed;
    return loaded;
  }

  private parse(source: SourceFile): Kept {
    this.parsed++;
    return { text: source.text, loaded: loadPolicy(source, this.strings) };
  }
}
