/**
 * How long does a page of an AuthZEN search take? Over 100,000 resources with five properties each and a condition on two of them, of which
 * one in twelve is permitted: the first page, every later one, and a page that finds nothing; in process, with what the event loop adds.
 * Also what a directory of that many, or more, takes of memory. Run it alone: `tsx bench/micro/search.ts [resources]` after `npm run build`.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import { ChangeList } from "../../runtime/directory/change-list.ts";
import { Directory } from "../../runtime/directory/directory.ts";
import { EntityReader } from "../../runtime/directory/entity-reader.ts";
import { DEFAULT_DIRECTORY_OPTIONS } from "../../runtime/directory/options.ts";
import { MAX_CHANGES } from "../../runtime/directory/push-log.ts";
import { Engine } from "../../runtime/index.ts";
import { ServingState } from "../../runtime/observe/serving-state.ts";
import { CompilePool } from "../../runtime/pool/compile-pool.ts";
import { DEFAULT_SEARCH_OPTIONS } from "../../runtime/search/options.ts";
import { Searcher } from "../../runtime/search/searcher.ts";
import { median } from "../report/statistics.ts";

/** Times in milliseconds. */
export interface SearchResult {
  readonly resources: number;
  readonly firstPage: number;
  readonly laterPage: number;
  readonly emptyPage: number;
  /** Nanoseconds per candidate of the empty page. */
  readonly perCandidate: number;
  /** Bytes of shared memory per entity. */
  readonly bytesPerEntity: number;
}

/** A condition on two attributes. */
export const SEARCH_POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: record
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          all:
            of:
              - expr: R.attr.department == P.attr.department
              - expr: R.attr.level <= P.attr.level
`;

const DEPARTMENTS = ["sales", "it", "legal", "finance"] as const;
const TURNS = 30;
/** Entities per change of the directory. */
const PER_CHANGE = 100_000;

/** Measures pages over a directory of so many resources. */
export async function measureSearch(resources: number): Promise<SearchResult> {
  const directory = await Directory.open(DEFAULT_DIRECTORY_OPTIONS, null);
  await fill(directory, resources);
  const state = new ServingState(await Engine.load(await compileSearchPolicy()));
  state.useDirectory(directory.view);
  const searcher = new Searcher(state, DEFAULT_SEARCH_OPTIONS);
  const timed = async (level: number, page: object): Promise<readonly [number, string]> => {
    const body = {
      subject: { type: "user", id: "alice", properties: { department: "sales", level } },
      action: { name: "view" },
      resource: { type: "record" },
      page,
    };
    const bytes = Buffer.from(JSON.stringify(body));
    const began = performance.now();
    const answer = await searcher.search(
      { searched: "resource", bytes, input: FORMAT_JSON, output: FORMAT_JSON },
      () => true,
    );
    const elapsed = performance.now() - began;
    const { page: next } = JSON.parse(Buffer.from(answer?.page ?? []).toString()) as {
      readonly page: { readonly next_token: string };
    };
    return [elapsed, next.next_token];
  };
  const first: number[] = [];
  const later: number[] = [];
  const empty: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    let [elapsed, token] = await timed(3, { limit: 100 });
    first.push(elapsed);
    for (let page = 0; page < 5 && token !== ""; page++) {
      [elapsed, token] = await timed(3, { limit: 100, token });
      later.push(elapsed);
    }
    empty.push((await timed(-1, { limit: 100 }))[0]);
  }
  const bytesPerEntity = directory.status.bytes / resources;
  await directory.close();
  const looked = Math.min(resources, DEFAULT_SEARCH_OPTIONS.maxCandidates);
  return {
    resources,
    firstPage: median(first),
    laterPage: median(later),
    emptyPage: median(empty),
    perCandidate: (median(empty) * 1e6) / looked,
    bytesPerEntity,
  };
}

/** The properties of a record. */
export function recordOf(index: number): object {
  return {
    department: DEPARTMENTS[index % DEPARTMENTS.length],
    level: (index >> 2) % 12,
    owner: `user-${index % 5000}`,
    archived: index % 7 === 0,
    region: "eu-west",
  };
}

async function fill(directory: Directory, resources: number): Promise<void> {
  for (let at = 0; at < resources; at += PER_CHANGE) {
    const changes = new ChangeList(MAX_CHANGES);
    const reader = new EntityReader("generated", "all", (entity) => changes.add(entity, false));
    for (let index = at; index < Math.min(resources, at + PER_CHANGE); index++) {
      const properties = recordOf(index);
      const id = `record-${String(index).padStart(6, "0")}`;
      reader.push(Buffer.from(`${JSON.stringify({ kind: "resource", type: "record", id, properties })}\n`));
    }
    reader.end();
    await directory.change(changes);
  }
}

/** The policy of the search: a condition on two attributes. */
export async function compileSearchPolicy(): Promise<Uint8Array> {
  const home = await mkdtemp(join(tmpdir(), "edict-bench-"));
  const pool = new CompilePool();
  try {
    await writeFile(join(home, "record.yaml"), SEARCH_POLICY);
    const { bundle, rendered } = await pool.compile({ directory: home });
    if (bundle === null) throw new Error(rendered ?? "the policy does not compile");
    return bundle;
  } finally {
    await pool.close();
    await rm(home, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const result = await measureSearch(Number(process.argv[2] ?? 100_000));
  for (const [name, value] of Object.entries(result)) {
    console.log(`${name.padEnd(16)}${Number(value).toFixed(2)}`);
  }
}
