/**
 * AuthZEN searches on one thread (Authorization API 1.0, section 8): a body in, a page of permitted subjects, resources or actions out. Each
 * is decided by one version of the policies, whole; routes, bodies and status codes are runtime/http's.
 *
 * Results come in the order in which entities were added, actions in that of their names. The directory may change between two pages: what
 * is added or replaced meanwhile comes at the end.
 */
import { pack } from "msgpackr";
import { FLAG_EVALUATION, FORMAT_MSGPACK, STATUS_AUX_DATA, STATUS_OK } from "../../assembly/abi.ts";
import type { DirectoryView } from "../directory/directory-view.ts";
import { EngineError, SearchOverloadError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import type { Searched } from "../guest/search-request.ts";
import type { Ruling, ServingState } from "../observe/serving-state.ts";
import { ActionList, actionsOf } from "./action-names.ts";
import { judgeOf, type JudgedBody } from "./candidate-judge.ts";
import { type Candidates, CandidateWalk } from "./candidate-walk.ts";
import type { SearchOptions } from "./options.ts";
import { foreignToken, openPlace, type PageOwner, type PagePlace, sealPlace } from "./page-token.ts";
import { limitOr, questionDigest, readSearchBody, type SearchBody } from "./search-body.ts";
import { SearchTurns } from "./search-turns.ts";

const NOTHING = new Uint8Array(0);

/** How often a search begins anew because another version came to serve, or a denial began or ended, before it was through. */
const MOST_ROUNDS = 3;

export interface SearchQuery {
  readonly searched: Searched;
  /** The body; copied. */
  readonly bytes: Uint8Array;
  /** FORMAT_* of the body and of the answer. */
  readonly input: number;
  readonly output: number;
}

/** A page, and what decided every candidate on it. */
export interface SearchAnswer extends Ruling {
  /** The response's body; null for a search that took more than a request may. */
  readonly page: Uint8Array | null;
}

type SearchState = Pick<ServingState, "ruling" | "holds" | "directory">;

/** What is searched, and from where on. */
interface Range {
  readonly candidates: Candidates;
  readonly edition: number;
}

export class Searcher {
  readonly #state: SearchState;
  readonly #options: SearchOptions;
  readonly #turns = new SearchTurns();

  constructor(state: SearchState, options: SearchOptions) {
    this.#state = state;
    this.#options = options;
  }

  /**
   * Answers a search by what serves when it ends; null when `isWanted` has become false. Rejects with `RequestError`, `TokenError`,
   * `TokenOverloadError`, `SearchOverloadError` or `EngineError`.
   */
  async search(query: SearchQuery, isWanted: () => boolean): Promise<SearchAnswer | null> {
    const own = { ...query, bytes: query.bytes.slice() };
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { ruling } = this.#state;
      const page = await this.#pageOrNull(own, ruling.engine, () => isWanted() && this.#state.holds(ruling));
      if (!isWanted()) return null;
      if (this.#state.holds(ruling)) return { ...ruling, page };
    }
    throw new SearchOverloadError("what serves is replaced faster than a search ends");
  }

  /** A page by `engine`; null when the search takes more than it may, or `goesOn` has become false. */
  async #pageOrNull(query: SearchQuery, engine: Engine, goesOn: () => boolean): Promise<Uint8Array | null> {
    try {
      return await this.#page(query, engine, goesOn);
    } catch (error) {
      // What is thrown by what no longer serves is not the answer.
      const isBudget = error instanceof EngineError && error.code === "EDICT_ENGINE_BUDGET";
      if (isBudget || !goesOn()) return null;
      throw error;
    }
  }

  async #page(query: SearchQuery, engine: Engine, goesOn: () => boolean): Promise<Uint8Array | null> {
    const { directory } = this.#state;
    const { searched, input, output, bytes } = query;
    const claims = await accept(engine, searched, bytes, input);
    const body = readSearchBody(bytes, input, searched);
    const owner = ownerOf(engine, directory, searched, body);
    const place = body.token === null ? null : openPlace(body.token, owner());
    const limit = limitOr(body.limit, place?.limit);
    if (place !== null && limit !== place.limit) throw foreignToken();
    const range = engine.denies ? null : rangeOf(engine, directory, searched, body);
    if (place !== null && place.edition !== (range?.edition ?? place.edition)) throw foreignToken();
    const { type } = searched === "subject" ? body.subject : body.resource;
    const resultOf = (id: string): object => (searched === "action" ? { name: id } : { type, id });
    if (range === null) return encode(output, "", []);
    const judged: JudgedBody = { searched, bytes, format: input, claims, question: body.question };
    const { maxCandidates } = this.#options;
    const limits = { limit, maxCandidates };
    const walk = new CandidateWalk(range.candidates, place?.position ?? 0, judgeOf(engine, judged), limits);
    if (!(await this.#turns.run(() => walk.step(), goesOn))) return null;
    const next: PagePlace | null =
      walk.next === null ? null : { edition: range.edition, position: walk.next, limit };
    return encode(output, next === null ? "" : sealPlace(next, owner()), walk.ids.map(resultOf));
  }
}

/** Has the guest look at the body; returns the claims of its tokens. Rejects when the guest refuses it. */
async function accept(
  engine: Engine,
  searched: Searched,
  bytes: Uint8Array,
  format: number,
): Promise<Uint8Array> {
  const ask = (claims: Uint8Array): number =>
    engine.searchChunk({ bytes, format, searched, candidates: NOTHING, limit: 0, claims }).status;
  let claims: Uint8Array = NOTHING;
  let status = ask(claims);
  if (status === STATUS_AUX_DATA) {
    claims =
      engine.rememberedClaims(bytes, format, FLAG_EVALUATION) ??
      (await engine.verifyTokens(bytes, format, FLAG_EVALUATION));
    status = ask(claims);
  }
  if (status !== STATUS_OK) throw engine.failure(status, bytes, format);
  return claims;
}

/** Whom a token of this search belongs to; made only when there is one. */
function ownerOf(
  engine: Engine,
  { secret }: DirectoryView,
  searched: Searched,
  body: SearchBody,
): () => PageOwner {
  let owner: PageOwner | null = null;
  return () => {
    owner ??= { secret, question: questionDigest(searched, body), bundle: engine.bundle.digest };
    return owner;
  };
}

/** What there is to search; null when nothing can come of it. */
function rangeOf(
  engine: Engine,
  directory: DirectoryView,
  searched: Searched,
  body: SearchBody,
): Range | null {
  const { subject, resource } = body;
  if (searched !== "subject" && !isKnown(directory, "subject", subject)) return null;
  if (searched !== "resource" && !isKnown(directory, "resource", resource)) return null;
  if (searched === "action") {
    return { candidates: new ActionList(actionsOf(engine.bundle, resource.type)), edition: 0 };
  }
  const table = directory.table(searched, searched === "subject" ? subject.type : resource.type);
  return table === undefined ? null : { candidates: table, edition: table.edition };
}

/**
 * Whether an entity of the body is one that exists: the directory knows it, or the body says what it is like, or the directory has no entities
 * of this kind, so that it is not the place to ask.
 */
function isKnown(
  directory: DirectoryView,
  kind: "subject" | "resource",
  { type, id, hasProperties }: SearchBody["subject"],
): boolean {
  if (hasProperties || !directory.holds(kind)) return true;
  return directory.properties(kind, Buffer.from(type), Buffer.from(id)) !== null;
}

/** A response; the page comes first, as section 8.3 recommends. */
function encode(format: number, token: string, results: readonly object[]): Uint8Array {
  const response = { page: { next_token: token, count: results.length }, results };
  return format === FORMAT_MSGPACK ? pack(response) : Buffer.from(JSON.stringify(response));
}
