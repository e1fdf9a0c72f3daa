/**
 * Policies resolved before, for the next time. A policy depends on its document, on the modules that it imports (and those that they
 * import) and on the JSON schemas; when all of them are the same objects as before, so is the result. Only policies without any
 * diagnostic are kept. A cache changes the time that `resolve` takes, never what it returns.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Loaded } from "../load/index.ts";
import type { PolicyDocument } from "../load/policy-document.ts";
import type {
  DerivedRole,
  JsonValue,
  Names,
  PolicySet,
  PrincipalPolicy,
  ResourcePolicy,
  RolePolicy,
} from "./policy-set.ts";
import { importsOf } from "./imports.ts";
import { peekText } from "./peek.ts";
import { identify, isDisabled, type Definition, type Entry, type Registry } from "./registry.ts";

/** A policy of the set, or nothing where a document was only checked. */
export type Built =
  | { readonly kind: "resource"; readonly policy: ResourcePolicy }
  | { readonly kind: "principal"; readonly policy: PrincipalPolicy }
  | { readonly kind: "role"; readonly policy: RolePolicy };

/** A resolution without problems. */
interface Last {
  readonly documents: readonly PolicyDocument[];
  readonly set: PolicySet;
  readonly registry: Registry;
  readonly resolution: Continued;
}

/** A resolution whose modules go on to be used. */
interface Continued {
  continue(registry: Registry, diagnostics: readonly Diagnostic[]): Continued;
  policy(entry: Entry): Built | undefined;
}

/** A policy whose document was edited. */
export interface Edit {
  readonly before: Entry;
  readonly after: Entry;
}

type LoadedFacts = Pick<Loaded, "documents" | "schemas" | "refused" | "failed">;

/** More edits at a time than these are resolved as a whole. */
const MAX_EDITS = 32;

/** Something and what it was made from. */
interface Kept<T> {
  readonly signature: string;
  readonly value: T;
}

interface Identified {
  /** Undefined for what is disabled or cannot be identified. */
  readonly entry: Entry | undefined;
  readonly imports: readonly string[];
}

/** Resolutions after which everything is dropped, so that names of modules long gone do not stay for ever. */
const MAX_GENERATIONS = 1000;

export class ResolveCache {
  #generation = 0;
  #number = 0;
  #numbers = new WeakMap<PolicyDocument, number>();
  #identified = new WeakMap<PolicyDocument, Identified>();
  #schemas: ReadonlyMap<string, JsonValue> = new Map();
  #schemaNumber = 0;
  #versions = new Map<string, string>();
  #policies = new Map<PolicyDocument, Kept<Built>>();
  #nextPolicies = new Map<PolicyDocument, Kept<Built>>();
  #definitions = new Map<PolicyDocument, Kept<Definition>>();
  #nextDefinitions = new Map<PolicyDocument, Kept<Definition>>();
  /** Entries of the last resolution, in their order. */
  #entries: readonly Entry[] = [];
  /** The last resolution, when nothing was wrong. */
  last: Last | undefined;
  /** By the list of imports and their versions (names-in-force.ts). */
  names = new Map<string, Names>();
  /** By key and version of the module (derived-roles.ts). */
  derivedRoles = new Map<string, ReadonlyMap<string, DerivedRole>>();
  /** Policies that were not kept, in the last resolution. */
  resolved = 0;

  /** Begins a resolution. */
  begin(schemas: ReadonlyMap<string, JsonValue>): void {
    if (++this.#generation > MAX_GENERATIONS) {
      this.#generation = 0;
      this.#policies = new Map();
      this.#definitions = new Map();
      this.names = new Map();
      this.derivedRoles = new Map();
    }
    if (!isSame(schemas, this.#schemas)) this.#schemaNumber++;
    this.#schemas = schemas;
    this.#versions = new Map();
    this.#nextPolicies = new Map();
    this.#nextDefinitions = new Map();
    this.resolved = 0;
  }

  /** Ends it: what was not asked for is forgotten. */
  end({ entries }: Registry, last: Last | undefined): void {
    this.#policies = this.#nextPolicies;
    this.#definitions = this.#nextDefinitions;
    this.#entries = entries;
    this.last = last;
  }

  /**
   * The edits since the last resolution, when they are few, and of policies that are called, scoped and imported as before. Only then is
   * every rule about several policies satisfied as it was.
   */
  edits({ documents, schemas, refused, failed }: LoadedFacts): readonly Edit[] | undefined {
    const { last } = this;
    if (last === undefined || refused.length > 0 || failed.length > 0) return undefined;
    if (last.documents.length !== documents.length || !isSame(schemas, this.#schemas)) return undefined;
    const edits: Edit[] = [];
    for (let index = 0; index < documents.length; index++) {
      const document = documents[index];
      const former = last.documents[index];
      if (document === former || document === undefined || former === undefined) continue;
      const before = this.identify(former);
      const after = this.identify(document);
      if (before === undefined || after === undefined || !this.#isEdit(before, after)) return undefined;
      if (edits.push({ before, after }) > MAX_EDITS) return undefined;
    }
    this.resolved = 0;
    return edits;
  }

  #isEdit(before: Entry, after: Entry): boolean {
    // What a role policy covers counts where an ancestor is missing.
    const isAlone = after.kind === "resource" || after.kind === "principal";
    return (
      isAlone &&
      outwardFacts(before) === outwardFacts(after) &&
      this.importsOf(before).join() === this.importsOf(after).join()
    );
  }

  /** Ends a resolution of edits only. */
  endEdits(edits: readonly Edit[], { entries }: Registry, last: Last): void {
    for (const { before } of edits) this.#policies.delete(before.document);
    this.#entries = entries;
    this.last = last;
  }

  /** What a document is called, unless it is disabled or has no name. */
  identify(document: PolicyDocument): Entry | undefined {
    return this.#identify(document).entry;
  }

  importsOf(entry: Entry): readonly string[] {
    return this.#identify(entry.document).imports;
  }

  /** The same entries in an order that is nearly sorted: as they were before, the new ones last. */
  presort(entries: readonly Entry[]): readonly Entry[] {
    if (this.#entries.length === 0) return entries;
    const open = new Set(entries);
    const known = this.#entries.filter((entry) => open.delete(entry));
    return [...known, ...open];
  }

  /** Changes with everything that a policy or module is made from. */
  signature(entry: Entry, registry: Registry): string {
    let text = `${this.#numberOf(entry.document)} ${this.#schemaNumber}`;
    for (const key of this.importsOf(entry)) text += ` ${this.version(key, registry)}`;
    return text;
  }

  /** Changes with the module `key` and what it imports; "-" when there is none. */
  version(key: string, registry: Registry): string {
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const entry = registry.get(key);
    // Modules import only kinds that import nothing, so this ends.
    const version =
      entry === undefined
        ? "-"
        : `${this.#numberOf(entry.document)}(${this.importsOf(entry)
            .map((imported) => this.version(imported, registry))
            .join()})`;
    this.#versions.set(key, version);
    return version;
  }

  policy(document: PolicyDocument, signature: string): Built | undefined {
    const kept = this.#policies.get(document);
    if (kept?.signature !== signature) return undefined;
    this.#nextPolicies.set(document, kept);
    return kept.value;
  }

  keepPolicy(document: PolicyDocument, signature: string, value: Built): void {
    this.#nextPolicies.set(document, { signature, value });
  }

  definition(document: PolicyDocument, signature: string): Definition | undefined {
    const kept = this.#definitions.get(document);
    if (kept?.signature !== signature) return undefined;
    this.#nextDefinitions.set(document, kept);
    return kept.value;
  }

  keepDefinition(document: PolicyDocument, signature: string, value: Definition): void {
    this.#nextDefinitions.set(document, { signature, value });
  }

  #identify(document: PolicyDocument): Identified {
    const known = this.#identified.get(document);
    if (known !== undefined) return known;
    const entry = isDisabled(document) ? undefined : identify(document);
    const identified = { entry, imports: entry === undefined ? [] : importsOf(entry) };
    this.#identified.set(document, identified);
    return identified;
  }

  #numberOf(document: PolicyDocument): number {
    const known = this.#numbers.get(document);
    if (known !== undefined) return known;
    this.#numbers.set(document, ++this.#number);
    return this.#number;
  }
}

/** What other policies see of a policy, and where it stands. */
function outwardFacts({ kind, name, version, scope, key, spot, document }: Entry): string {
  return JSON.stringify([
    [kind, name, version, scope, key, document.file],
    [peekText(spot.node, "scope"), peekText(spot.node, "scopePermissions")],
  ]);
}

function isSame(left: ReadonlyMap<string, JsonValue>, right: ReadonlyMap<string, JsonValue>): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (const [id, schema] of left) if (right.get(id) !== schema || !right.has(id)) return false;
  return true;
}
