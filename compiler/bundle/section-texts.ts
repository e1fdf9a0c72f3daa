/**
 * What sections came to, for the next bundle: digests of sources, and texts of everything that is the same object as before. Changes the
 * time that a bundle takes, never its bytes.
 */
import { createHash } from "node:crypto";
import { compareText } from "../diagnostics/codes.ts";
import type { SchemaSet } from "../ir/program.ts";
import type { SourceFile } from "../load/index.ts";
import type { JsonValue } from "../policy/policy-set.ts";
import { JoinedList } from "./joined-list.ts";
import { RuleTexts } from "./rules.ts";
import { SectionDigests } from "./section-digests.ts";

export class SectionTexts {
  readonly sources = new SourceTexts();
  readonly rules = new RuleTexts();
  readonly schemas = new SchemaTexts();
  readonly digests = new SectionDigests();
}

/** A source in the manifest. */
interface SourceEntry {
  readonly path: string;
  readonly digest: string;
}

/** The sources of the manifest. A source that is read again is another object. */
class SourceTexts {
  readonly #entries = new WeakMap<SourceFile, SourceEntry>();
  readonly #list = new JoinedList<SourceEntry>(",", (entry) => JSON.stringify(entry));
  readonly #lines = new JoinedList<SourceEntry>("", ({ path, digest }) => `${path}\0${digest}\n`);

  /** The list in pieces, and the digest over all of it. */
  write(sources: readonly SourceFile[]): {
    readonly list: readonly Uint8Array[];
    readonly policyDigest: string;
  } {
    const entries = [...sources]
      .sort((left, right) => compareText(left.path, right.path))
      .map((source) => this.#entry(source));
    const hash = createHash("sha256");
    for (const piece of this.#lines.pieces(entries)) hash.update(piece);
    return { list: this.#list.pieces(entries), policyDigest: hash.digest("hex") };
  }

  #entry(source: SourceFile): SourceEntry {
    let entry = this.#entries.get(source);
    if (entry === undefined) {
      entry = { path: source.path, digest: createHash("sha256").update(source.text).digest("hex") };
      this.#entries.set(source, entry);
    }
    return entry;
  }
}

/** The schemas section. */
class SchemaTexts {
  readonly #sets = new JoinedList<SchemaSet>(",", (set) => JSON.stringify(set));
  /** JSON of documents that are objects. */
  readonly #texts = new WeakMap<object, string>();
  #documents: { readonly of: ReadonlyMap<string, JsonValue>; readonly json: Uint8Array } | undefined;

  write(sets: readonly SchemaSet[], schemas: ReadonlyMap<string, JsonValue>): readonly Uint8Array[] {
    if (this.#documents?.of !== schemas) {
      this.#documents = { of: schemas, json: Buffer.from(this.#documentsOf(schemas)) };
    }
    return [
      Buffer.from('{"sets":['),
      ...this.#sets.pieces(sets),
      Buffer.from('],"documents":{'),
      this.#documents.json,
      Buffer.from("}}"),
    ];
  }

  #documentsOf(schemas: ReadonlyMap<string, JsonValue>): string {
    return [...schemas]
      .sort(([a], [b]) => compareText(a, b))
      .map(([id, document]) => `${JSON.stringify(id)}:${this.#textOf(document)}`)
      .join();
  }

  #textOf(document: JsonValue): string {
    if (typeof document !== "object" || document === null) return JSON.stringify(document);
    const text = this.#texts.get(document) ?? JSON.stringify(document);
    this.#texts.set(document, text);
    return text;
  }
}
