/**
 * What a compiler remembers from one compilation to the next, so that an edit costs what it changes: documents, resolved policies, checked
 * expressions and compiled functions, each known by what it was made from. Same sources, same bytes, whatever is remembered; that is
 * tested with random edits (test/compiler/incremental.test.ts).
 */
import { AssemblyScript } from "./assemble/asc.ts";
import { ObjectCache, type TextStore } from "./assemble/object-cache.ts";
import { SectionTexts } from "./bundle/section-texts.ts";
import { CheckCache } from "./cel/check-cache.ts";
import { LowerCache } from "./ir/lower-cache.ts";
import { LoadCache } from "./load/load-cache.ts";
import { ResolveCache } from "./policy/resolve-cache.ts";
import { SeenPolicies } from "./policy/seen-policies.ts";

export class CompileMemory {
  readonly documents = new LoadCache();
  readonly policies = new ResolveCache();
  readonly expressions = new CheckCache();
  /** Policies whose globs are well-formed. */
  readonly sound = new SeenPolicies();
  readonly programs = new LowerCache();
  readonly objects: ObjectCache;
  readonly assemblyScript = new AssemblyScript();
  /** What the sections of the last bundle came to. */
  readonly sections = new SectionTexts();

  /** @param store where compiled functions survive the process */
  constructor(store?: TextStore) {
    this.objects = new ObjectCache(store);
  }
}
