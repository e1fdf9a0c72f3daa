/**
 * What a compiler remembers from one compilation to the next, so that an edit costs what it changes: documents, resolved policies, checked
 * expressions and compiled functions, each known by what it was made from. Same sources, same bytes, whatever is remembered; that is
 * tested with random edits (test/compiler/incremental.test.ts).
 */
import { AssemblyScript } from "./assemble/asc.ts";
import { ObjectCache, type TextStore } from "./assemble/object-cache.ts";
import type { RuleFragments } from "./bundle/rules.ts";
import { CheckCache } from "./cel/check-cache.ts";
import { LowerCache } from "./ir/lower-cache.ts";
import { LoadCache } from "./load/load-cache.ts";
import type { SourceFile } from "./load/policy-document.ts";
import { ResolveCache } from "./policy/resolve-cache.ts";

export class CompileMemory {
  readonly documents = new LoadCache();
  readonly policies = new ResolveCache();
  readonly expressions = new CheckCache();
  /** Policies whose globs are well-formed. */
  readonly sound = new WeakSet<object>();
  readonly programs = new LowerCache();
  readonly objects: ObjectCache;
  readonly assemblyScript = new AssemblyScript();
  /** Digests of sources; a source that is read again is another object. */
  readonly digests = new WeakMap<SourceFile, { readonly path: string; readonly digest: string }>();
  /** Parts of the bundle's text, by what they say. */
  readonly rules: RuleFragments = new WeakMap();
  readonly schemas = new WeakMap<object, string>();

  /** @param store where compiled functions survive the process */
  constructor(store?: TextStore) {
    this.objects = new ObjectCache(store);
  }
}
