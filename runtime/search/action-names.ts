/**
 * The actions that an action search tries: those that policies name for the resource's kind, in all versions and scopes, whether in resource,
 * principal or role policies. A pattern such as `view:*` stands for names that nobody has written down, so it is none of them.
 */
import { RECORD_HEAD, recordLength, type RecordRun } from "../directory/entity-table.ts";
import type { Bundle } from "../bundle/bundle-file.ts";
import { type NamedActions, parseNamedActions } from "../bundle/rule-index.ts";
import { globTest } from "../schema/action-globs.ts";
import type { Candidates } from "./candidate-walk.ts";

/** Kinds whose names are remembered per bundle; kinds come from requests. */
const MAX_REMEMBERED = 1000;

/** What is known of a bundle. */
interface Known {
  readonly named: readonly NamedActions[];
  readonly byKind: Map<string, readonly string[]>;
}

const remembered = new WeakMap<Bundle, Known>();

/** The names for a kind of resource, sorted. */
export function actionsOf(bundle: Bundle, kind: string): readonly string[] {
  let known = remembered.get(bundle);
  if (known === undefined) {
    known = { named: parseNamedActions(bundle.rules), byKind: new Map() };
    remembered.set(bundle, known);
  }
  const { named, byKind } = known;
  let names = byKind.get(kind);
  if (names === undefined) {
    const found = new Set<string>();
    for (const { resource, actions } of named) {
      if (isMatch(resource, kind)) for (const action of actions) found.add(action);
    }
    names = [...found].sort();
    if (byKind.size < MAX_REMEMBERED) byKind.set(kind, names);
  }
  return names;
}

/** Policies are found by sanitised names (COMPAT.md section 3), for which `album:object` is `album_object`. */
const SANITISED_NAME = /^[A-Za-z][\w@.\-/]*(:[A-Za-z][\w@.\-/]*)*$/;

function isMatch(pattern: string, kind: string): boolean {
  return pattern.includes("*")
    ? globTest(pattern)(sanitised(kind))
    : pattern === kind || sanitised(pattern) === sanitised(kind);
}

function sanitised(name: string): string {
  return SANITISED_NAME.test(name) ? name.replace(/[^\w.]+/g, "_") : name;
}

/** Names as candidates, laid out as records of a table; a position is an offset. */
export class ActionList implements Candidates {
  readonly averageLength: number;
  readonly #records: Buffer;

  constructor(names: readonly string[]) {
    const records = names.map((name) => {
      const id = Buffer.from(name, "utf8");
      const record = Buffer.alloc(RECORD_HEAD + id.byteLength);
      record.writeUInt32LE(id.byteLength, 0);
      record.set(id, RECORD_HEAD);
      return record;
    });
    this.#records = Buffer.concat(records);
    this.averageLength = this.#records.byteLength / Math.max(1, names.length);
  }

  span(position: number, maxBytes: number): RecordRun {
    const records = this.#records;
    const { byteLength } = records;
    const first = position < byteLength ? recordLength(records, position) : 0;
    const end = Math.min(byteLength, position + Math.max(maxBytes, first));
    return {
      address: position,
      bytes: records.subarray(position, end),
      next: end,
      isLast: end === byteLength,
    };
  }

  isCurrent(): boolean {
    return true;
  }
}
