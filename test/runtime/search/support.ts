/** Policies over a directory of records and people, a searcher over both, and a brute force beside it: one evaluation per entity. */
import { pack, unpack } from "msgpackr";
import { FLAG_EVALUATION, FORMAT_JSON, FORMAT_MSGPACK, STATUS_OK } from "../../../assembly/abi.ts";
import { Directory } from "../../../runtime/directory/directory.ts";
import type { EntityKind } from "../../../runtime/directory/entity-lookup.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import type { EngineOptions } from "../../../runtime/guest/options.ts";
import type { Searched } from "../../../runtime/guest/search-request.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { DEFAULT_SEARCH_OPTIONS, type SearchOptions } from "../../../runtime/search/options.ts";
import { Searcher } from "../../../runtime/search/searcher.ts";
import { changesOf, type EntityText, options } from "../directory/support.ts";
import { compilePolicies } from "../support/bundles.ts";

export const SEARCH_POLICIES: Readonly<Record<string, string>> = {
  "record.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: record
  version: default
  rules:
    - actions: [view, "export:*"]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          all:
            of:
              - expr: R.attr.department == P.attr.department
              - expr: R.attr.level <= P.attr.level
    - actions: [view, edit]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: { match: { expr: R.attr.owner == P.id } }
    - actions: [edit, delete]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: { match: { expr: R.attr.archived == true } }
    - actions: [ping]
      effect: EFFECT_ALLOW
      roles: [user]
    - actions: [at-night]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: { match: { expr: request.context.hour < 6 } }
`,
  "record-beta.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: record
  version: beta
  rules:
    - { actions: [preview, view], effect: EFFECT_ALLOW, roles: [user] }
`,
  "auditor.yaml": `apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: auditor
  version: default
  rules:
    - resource: "*"
      actions:
        - { action: audit, effect: EFFECT_ALLOW }
`,
  "clerk.yaml": `apiVersion: api.cerbos.dev/v1
rolePolicy:
  role: clerk
  scope: office
  rules:
    - resource: record
      allowActions: [stamp]
`,
  "office.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: record
  version: default
  scope: office
  rules:
    - { actions: ["*"], effect: EFFECT_ALLOW, roles: [clerk] }
`,
};

const FORMATS = { json: FORMAT_JSON, msgpack: FORMAT_MSGPACK } as const;

export interface Page {
  readonly page: { readonly next_token: string; readonly count: number };
  readonly results: readonly { readonly type?: string; readonly id?: string; readonly name?: string }[];
}

/** A bundle, compiled once per test file. */
let compiled: Promise<Uint8Array> | null = null;

export class SearchedSet {
  readonly directory: Directory;
  readonly state: ServingState;
  readonly searcher: Searcher;

  private constructor(directory: Directory, state: ServingState, search: SearchOptions) {
    this.directory = directory;
    this.state = state;
    this.searcher = new Searcher(state, search);
  }

  static async open(
    entities: readonly EntityText[],
    {
      search = DEFAULT_SEARCH_OPTIONS,
      engine = {},
      bundle,
    }: { search?: SearchOptions; engine?: EngineOptions; bundle?: Uint8Array } = {},
  ): Promise<SearchedSet> {
    compiled ??= compilePolicies(SEARCH_POLICIES);
    const directory = await Directory.open(options(), null);
    await directory.change(changesOf(entities));
    const state = new ServingState(await Engine.load(bundle ?? (await compiled), engine));
    state.useDirectory(directory.view);
    return new SearchedSet(directory, state, search);
  }

  async search(searched: Searched, body: unknown, format: "json" | "msgpack" = "json"): Promise<Page> {
    const bytes = format === "json" ? Buffer.from(JSON.stringify(body)) : pack(body);
    const query = { searched, bytes, input: FORMATS[format], output: FORMATS[format] };
    const answer = await this.searcher.search(query, () => true);
    const page = answer?.page ?? null;
    if (page === null) throw new Error("nobody wanted it, or it took too much");
    return (format === "json" ? JSON.parse(Buffer.from(page).toString()) : unpack(page)) as Page;
  }

  /** All pages of a search. */
  async pages(searched: Searched, body: object, limit: number): Promise<readonly Page[]> {
    const pages: Page[] = [];
    for (let token = ""; ;) {
      const page = await this.search(searched, {
        ...body,
        page: { limit, ...(token === "" ? {} : { token }) },
      });
      pages.push(page);
      token = page.page.next_token;
      if (token === "") return pages;
    }
  }

  /** Whether an evaluation permits. */
  decide(body: object): boolean {
    const { engine } = this.state;
    const status = engine.decide(
      Buffer.from(JSON.stringify(body)),
      FORMAT_JSON,
      FORMAT_JSON,
      FLAG_EVALUATION,
    );
    if (status !== STATUS_OK) throw new Error(`status ${status}`);
    return (JSON.parse(Buffer.from(engine.output()).toString()) as { decision: boolean }).decision;
  }

  close(): Promise<void> {
    return this.directory.close();
  }
}

/** Ids of results, over all pages. */
export function idsOf(pages: readonly Page[]): string[] {
  return pages.flatMap(({ results }) => results.map(({ id, name }) => id ?? name ?? "?"));
}

export function entity(
  kind: EntityKind,
  type: string,
  id: string,
  properties?: Readonly<Record<string, unknown>>,
): EntityText {
  return { kind, type, id, ...(properties === undefined ? {} : { properties }) };
}
