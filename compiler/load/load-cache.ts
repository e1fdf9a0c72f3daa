/**
 * Documents kept from one load to the next, so that an edit costs the parsing of one file. A file is known by its path
 * and whole text, so a cache changes only the time that `load` takes, never what it returns.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { JsonValue } from "../policy/policy-set.ts";
import { classify, type FileRole } from "./layout.ts";
import { loadPolicy, type LoadedPolicy } from "./load-policy.ts";
import { loadSchema } from "./load-schema.ts";
import type { Loaded } from "./index.ts";
import type { SourceFile } from "./policy-document.ts";
import { findByText } from "./sorted.ts";
import { StringTable } from "./string-table.ts";

interface Kept {
  readonly text: string;
  readonly loaded: LoadedPolicy;
}

interface KeptSchema {
  readonly text: string;
  readonly schemas: ReadonlyMap<string, JsonValue>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parsings after which everything is dropped and parsed anew, for each file: texts of files long gone would otherwise
 * stay in the string table for ever.
 */
const MAX_PARSINGS_PER_FILE = 10;

/** A load without problems, and what it was made from. */
interface Last {
  readonly sources: readonly SourceFile[];
  readonly loaded: Loaded;
}

/** More changed files than these are no edit: then everything is looked at. */
const MAX_CHANGES = 32;

export class LoadCache {
  private strings = new StringTable();
  private kept = new Map<string, Kept>();
  private schemas = new Map<string, KeptSchema>();
  private roles = new Map<string, FileRole>();
  private parsings = 0;
  private last: Last | undefined;
  /** Files parsed in the latest load: the others were unchanged. */
  parsed = 0;

  /** Told what a load came to. */
  finish(sources: readonly SourceFile[], loaded: Loaded): Loaded {
    const isClean =
      loaded.diagnostics.length === 0 && loaded.failed.length === 0 && loaded.refused.length === 0;
    // A copy: callers may go on to use their list.
    this.last = isClean ? { sources: [...sources], loaded } : undefined;
    return loaded;
  }

  /** What `sources` come to, when they are those of the last load but for the texts of a few policies. */
  patch(sources: readonly SourceFile[]): Loaded | undefined {
    const { last } = this;
    if (last === undefined || last.sources.length !== sources.length || this.isFull(sources))
      return undefined;
    const changed: SourceFile[] = [];
    for (let index = 0; index < sources.length; index++) {
      const source = sources[index];
      const before = last.sources[index];
      if (source === before || source === undefined || before === undefined) continue;
      if (source.path !== before.path || this.roleOf(source.path).kind !== "policy") return undefined;
      if (source.text !== before.text && changed.push(source) > MAX_CHANGES) return undefined;
    }
    const documents = [...last.loaded.documents];
    const parsed: [string, Kept][] = [];
    for (const source of changed) {
      const at = findByText(documents, source.path, ({ file }) => file);
      const kept = this.parse(source);
      if (at < 0 || kept.loaded.document === undefined || kept.loaded.diagnostics.length > 0)
        return undefined;
      documents[at] = kept.loaded.document;
      parsed.push([source.path, kept]);
    }
    for (const [path, kept] of parsed) this.kept.set(path, kept);
    this.parsed = parsed.length;
    this.parsings += parsed.length;
    return this.finish(sources, { ...last.loaded, documents });
  }

  /** What a file is, by its path. */
  roleOf(path: string): FileRole {
    let role = this.roles.get(path);
    if (role === undefined) {
      if (this.roles.size > 2 * this.kept.size + 100_000) this.roles.clear();
      role = classify(path);
      this.roles.set(path, role);
    }
    return role;
  }

  /** Loads schema files into one map, by id. An unchanged file comes to the same object. */
  loadSchemas(files: readonly { readonly source: SourceFile; readonly id: string }[]): {
    readonly schemas: ReadonlyMap<string, JsonValue>;
    readonly diagnostics: readonly Diagnostic[];
  } {
    const next = new Map<string, KeptSchema>();
    const schemas = new Map<string, JsonValue>();
    const diagnostics: Diagnostic[] = [];
    for (const { source, id } of files) {
      const known = this.schemas.get(source.path);
      const kept = known?.text === source.text ? known : parseSchema(source, id);
      next.set(source.path, kept);
      for (const [name, schema] of kept.schemas) schemas.set(name, schema);
      diagnostics.push(...kept.diagnostics);
    }
    this.schemas = next;
    return { schemas, diagnostics };
  }

  /** Loads policy files; only those loaded here are kept for the next time. */
  loadAll(sources: readonly SourceFile[]): readonly LoadedPolicy[] {
    if (this.isFull(sources)) {
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

  private isFull(sources: readonly SourceFile[]): boolean {
    return this.parsings > MAX_PARSINGS_PER_FILE * (sources.length + 100);
  }

  private parse(source: SourceFile): Kept {
    this.parsed++;
    return { text: source.text, loaded: loadPolicy(source, this.strings) };
  }
}

function parseSchema(source: SourceFile, id: string): KeptSchema {
  const schemas = new Map<string, JsonValue>();
  const diagnostics = loadSchema(source, id, schemas);
  return { text: source.text, schemas, diagnostics };
}
