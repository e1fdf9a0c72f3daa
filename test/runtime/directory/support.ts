/** Changes and files of a directory of entities for tests, and ways to look at what it holds. */
import { unpack } from "msgpackr";
import { ChangeList } from "../../../runtime/directory/change-list.ts";
import type { Directory } from "../../../runtime/directory/directory.ts";
import type { DirectoryView } from "../../../runtime/directory/directory-view.ts";
import type { EntityKind } from "../../../runtime/directory/entity-lookup.ts";
import { EntityReader } from "../../../runtime/directory/entity-reader.ts";
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from "../../../runtime/directory/options.ts";
import { MAX_CHANGES } from "../../../runtime/directory/push-log.ts";

/** An entity as a file has it. */
export interface EntityText {
  readonly kind: EntityKind;
  readonly type: string;
  readonly id: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export function options(files: readonly string[] = []): DirectoryOptions {
  return { ...DEFAULT_DIRECTORY_OPTIONS, files };
}

/** One line per entity. */
export function ndjson(entities: readonly EntityText[]): string {
  return entities.map((entity) => `${JSON.stringify(entity)}\n`).join("");
}

/** What a request with these entities asks for. */
export function changesOf(entities: readonly EntityText[], removes = false): ChangeList {
  const changes = new ChangeList(MAX_CHANGES);
  const reader = new EntityReader("body", removes ? "key" : "all", (entity) => changes.add(entity, removes));
  reader.push(Buffer.from(ndjson(entities)));
  reader.end();
  return changes;
}

/** The properties of an entity as a thread sees them; null when it does not know it. */
export function look(view: DirectoryView, kind: EntityKind, type: string, id: string): unknown {
  const bytes = view.properties(kind, Buffer.from(type), Buffer.from(id));
  return bytes === null ? null : unpack(Uint8Array.from(bytes));
}

/** Ids of a type in the order of a search. */
export function idsOf(directory: Directory, kind: EntityKind, type: string, runBytes = 1 << 20): string[] {
  const table = directory.view.table(kind, type);
  const ids: string[] = [];
  if (table === undefined) return ids;
  for (let address = 0; ;) {
    const run = table.run(address, runBytes);
    for (let at = 0; at < run.bytes.byteLength;) {
      const id = table.idAt(run.address + at);
      if (table.isCurrent(run.address + at, id)) ids.push(Buffer.from(id).toString());
      at += 8 + id.byteLength + (run.bytes[at + 4] ?? 0) + 256 * (run.bytes[at + 5] ?? 0);
    }
    if (run.isLast) return ids;
    address = run.next;
  }
}
