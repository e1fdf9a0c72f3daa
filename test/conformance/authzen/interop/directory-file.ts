/** Writes entities as a directory file that `edict serve --directory` reads: NDJSON, one entity a line. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Entity {
  readonly kind: "subject" | "resource";
  readonly type: string;
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A record of the corpus as an entity: its id apart, as text, and the rest as properties. */
export function entity(
  kind: Entity["kind"],
  type: string,
  { id, ...properties }: Readonly<Record<string, unknown>>,
): Entity {
  return { kind, type, id: typeof id === "string" ? id : JSON.stringify(id), properties };
}

export interface DirectoryFile {
  readonly path: string;
  remove(): Promise<void>;
}

export async function directoryFile(entities: readonly Entity[]): Promise<DirectoryFile> {
  const home = await mkdtemp(join(tmpdir(), "edict-directory-"));
  const path = join(home, "entities.ndjson");
  await writeFile(path, entities.map((one) => `${JSON.stringify(one)}\n`).join(""));
  return { path, remove: () => rm(home, { recursive: true, force: true }) };
}
