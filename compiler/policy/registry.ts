/**
 * Who is who: every enabled policy by its key, known before any policy is decoded. Of two policies with one key the first
 * by file path counts; duplicate-policy.ts reports the other. Holds no decoded policies: of 40,000 they would fill memory.
 */
import { compareText } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { PolicyDocument } from "../load/policy-document.ts";
import type { PolicyMessage } from "./decode/policy-message.ts";
import { childSpot } from "./decode/field.ts";
import { Reader, rootSpot, type Spot } from "./decode/spot.ts";
import { moduleKey, normaliseScope, policyKey, type PolicyKind } from "./names.ts";
import { peekEntry, peekText } from "./peek.ts";
import { SchemaDocuments } from "./schema-documents.ts";

/** What a policy is called. */
export interface Identity {
  readonly kind: PolicyKind;
  /** As written. */
  readonly name: string;
  /** "" for kinds without versions. */
  readonly version: string;
  /** Normalised; "" for the root and for kinds without scopes. */
  readonly scope: string;
  /** Policy key, e.g. `resource.leave_request.vdefault/acme.hr`. */
  readonly key: string;
}

/** A document and what it is called. */
export interface Entry extends Identity {
  readonly document: PolicyDocument;
  /** Spot of the kind, as in `$.resourcePolicy`. */
  readonly spot: Spot;
}

/** A decoded policy; lives only while it is checked and built. */
export interface Definition extends Entry {
  readonly message: PolicyMessage;
  readonly reader: Reader;
}

/** Field of the envelope, field that holds the name, kind. */
const KINDS = [
  ["resourcePolicy", "resource", "resource"],
  ["principalPolicy", "principal", "principal"],
  ["rolePolicy", "role", "role"],
  ["derivedRoles", "name", "derived_roles"],
  ["exportVariables", "name", "export_variables"],
  ["exportConstants", "name", "export_constants"],
] as const satisfies readonly (readonly [string, string, PolicyKind])[];

const DEFAULT_VERSION = "default";

/** What a document is, or nothing when its kind or name cannot be read. */
export function identify(document: PolicyDocument): Entry | undefined {
  for (const [field, nameField, kind] of KINDS) {
    const found = peekEntry(document.root, field);
    const name = found === undefined ? undefined : peekText(found.value, nameField);
    if (found !== undefined && name !== undefined) {
      const spot = childSpot(rootSpot(document), found);
      if (kind === "derived_roles" || kind === "export_variables" || kind === "export_constants") {
        return { document, spot, kind, name, version: "", scope: "", key: moduleKey(kind, name) };
      }
      const version = peekText(found.value, "version") || DEFAULT_VERSION;
      const scope = normaliseScope(peekText(found.value, "scope") ?? "");
      return { document, spot, kind, name, version, scope, key: policyKey(kind, name, version, scope) };
    }
  }
  return undefined;
}

/** Whether a document says `disabled: true`. */
export function isDisabled({ root }: PolicyDocument): boolean {
  const value = peekEntry(root, "disabled")?.value;
  return value?.kind === "scalar" && value.value === true;
}

/** Edits by which an index differs from the one that it was made from; beyond this it is made anew. */
const MAX_EDITED = 100;

/** Enabled policies in order and by key. Never changes: after an edit there is another one, which has most in common with it. */
export class EntryIndex {
  /** Sorted by key, then file. */
  readonly entries: readonly Entry[];
  readonly #byKey: ReadonlyMap<string, Entry>;
  /** In place of those of `#byKey`. */
  readonly #edited: ReadonlyMap<string, Entry>;

  private constructor(
    entries: readonly Entry[],
    byKey: ReadonlyMap<string, Entry>,
    edited: ReadonlyMap<string, Entry> = new Map(),
  ) {
    this.entries = entries;
    this.#byKey = byKey;
    this.#edited = edited;
  }

  static of(entries: readonly Entry[]): EntryIndex {
    const sorted = [...entries].sort(
      (a, b) => compareText(a.key, b.key) || compareText(a.document.file, b.document.file),
    );
    return new EntryIndex(sorted, firstByKey(sorted));
  }

  /** With other entries of the same keys and files in place of some, each of which is the only one of its key. */
  edit(edits: readonly { readonly before: Entry; readonly after: Entry }[]): EntryIndex {
    const entries = [...this.entries];
    const edited = new Map(this.#edited);
    for (const { before, after } of edits) {
      entries[entries.indexOf(before)] = after;
      edited.set(after.key, after);
    }
    return edited.size > MAX_EDITED
      ? new EntryIndex(entries, firstByKey(entries))
      : new EntryIndex(entries, this.#byKey, edited);
  }

  /** The first policy with a key. */
  get(key: string): Entry | undefined {
    return this.#edited.get(key) ?? this.#byKey.get(key);
  }
}

function firstByKey(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const byKey = new Map<string, Entry>();
  for (const entry of entries) if (!byKey.has(entry.key)) byKey.set(entry.key, entry);
  return byKey;
}

export class Registry {
  readonly index: EntryIndex;
  /** What policies may refer to as `cerbos:///…`. */
  readonly schemas: SchemaDocuments;
  private readonly failedTexts: readonly string[];
  private readonly diagnostics: Diagnostic[];

  /** @param failedTexts texts of the policy files that could not be read at all */
  constructor(
    index: EntryIndex,
    failedTexts: readonly string[],
    diagnostics: Diagnostic[],
    schemas = new SchemaDocuments(new Map()),
  ) {
    this.index = index;
    this.failedTexts = failedTexts;
    this.diagnostics = diagnostics;
    this.schemas = schemas;
  }

  /** Enabled policies, sorted by key, then file. */
  get entries(): readonly Entry[] {
    return this.index.entries;
  }

  /** Whether some policy file could not be read at all. */
  get hasFailed(): boolean {
    return this.failedTexts.length > 0;
  }

  get(key: string): Entry | undefined {
    return this.index.get(key);
  }

  /** For reports about a policy that is not being decoded. */
  reader({ document }: Entry): Reader {
    return new Reader(document, this.diagnostics);
  }

  /**
   * Whether a name may well be defined in a file that could not be read: then a report that it is missing would only
   * repeat the report about that file.
   */
  mayBeUnreadable(name: string): boolean {
    return this.failedTexts.some((text) => text.includes(name));
  }
}
