/**
 * Runs the certification scenario against a PDP: every test of the sub-levels asked for and of those that they require. Needs an address and
 * nothing else of the PDP; the PDP must have loaded the fixture.
 */
import type { JSONWebKeySet } from "jose";
import { BASIC } from "./basic.ts";
import { BATCH } from "./batch.ts";
import { checkAnswer, isObject, nextToken, parseJson, resultNames } from "./check-answer.ts";
import { addressOf, checkMetadata, endpointsOf, fetchMetadata, type Address } from "./discover.ts";
import { Pdp, type Answer, type PdpOptions } from "./pdp.ts";
import { type Endpoint, type ScenarioTest, type Step, SUB_LEVELS } from "./scenario.ts";
import { SEARCH } from "./search.ts";
import { PROTOCOL } from "./protocol.ts";

/** More pages than any fixture needs: a PDP that never ends is wrong. */
const MAX_PAGES = 1_000;

/** All tests but those of discovery, which judge one document. */
export const TESTS: readonly ScenarioTest[] = [...BASIC, ...BATCH, ...SEARCH, ...PROTOCOL];

const METADATA_TITLES: Readonly<Record<string, string>> = {
  "c-6-1": "the metadata endpoint is there",
  "c-6-2": "the metadata are a JSON object",
  "c-6-3": "required metadata",
  "c-6-4": "optional metadata",
  "c-6-5": "capabilities and signature",
  "c-6-6": "no fallback for discovery",
};

export interface CertificationOptions extends PdpOptions {
  /** Base URL of the PDP. */
  readonly url: string;
  /** Its public HTTPS base URL, where TLS ends in front of it at another host. */
  readonly publicUrl?: string;
  /** Names of sub-levels; all unless told. */
  readonly levels?: readonly string[];
  /** Keys of the issuer of signed metadata. */
  readonly keys?: JSONWebKeySet;
}

export interface TestResult {
  readonly id: string;
  readonly title: string;
  /** What was wrong, one line each, with the step's name; empty when the test passed. */
  readonly wrong: readonly string[];
}

export interface LevelResult {
  readonly level: string;
  readonly title: string;
  readonly tests: readonly TestResult[];
  /** Whether every test passed, here and in the sub-levels that this one requires. */
  readonly certified: boolean;
}

/** Certifies the PDP at `options.url`, one request at a time. Rejects only when the metadata endpoint does not answer at all. */
export async function certify(options: CertificationOptions): Promise<readonly LevelResult[]> {
  const pdp = new Pdp(options);
  const address = addressOf(options.url, options.publicUrl);
  const metadata = await fetchMetadata(pdp, address);
  const run = new Run(pdp, endpointsOf(metadata, address));
  const wanted = withRequired(options.levels ?? SUB_LEVELS.map(({ name }) => name));
  const results = new Map<string, LevelResult>();
  for (const { name, title, requires } of SUB_LEVELS) {
    if (!wanted.has(name)) continue;
    const tests = name === "discovery" ? await judge(metadata, address, options.keys) : await run.level(name);
    const certified =
      tests.every(({ wrong }) => wrong.length === 0) &&
      requires.every((level) => results.get(level)?.certified === true);
    results.set(name, { level: name, title, tests, certified });
  }
  return [...results.values()];
}

/** The levels and those that they require. */
function withRequired(levels: readonly string[]): ReadonlySet<string> {
  const required = SUB_LEVELS.filter(({ name }) => levels.includes(name)).flatMap(({ requires }) => requires);
  return new Set([...levels, ...required]);
}

async function judge(
  metadata: Answer,
  address: Address,
  keys: JSONWebKeySet | undefined,
): Promise<readonly TestResult[]> {
  const found = await checkMetadata(metadata, address, keys);
  return Object.entries(METADATA_TITLES).map(([id, title]) => ({ id, title, wrong: found[id] ?? [] }));
}

/** One run: sends the requests of tests, in order. */
class Run {
  readonly #pdp: Pdp;
  readonly #endpoints: Readonly<Record<Endpoint, URL>>;

  constructor(pdp: Pdp, endpoints: Readonly<Record<Endpoint, URL>>) {
    this.#pdp = pdp;
    this.#endpoints = endpoints;
  }

  async level(level: string): Promise<readonly TestResult[]> {
    const results: TestResult[] = [];
    for (const test of TESTS.filter((one) => one.level === level)) {
      results.push({ id: test.id, title: test.title, wrong: await this.#test(test) });
    }
    return results;
  }

  async #test({ steps }: ScenarioTest): Promise<readonly string[]> {
    const results = new Map<string, readonly string[]>();
    const tokens = new Map<string, string>();
    const wrong: string[] = [];
    for (const step of steps) {
      const token = step.tokenOf === undefined ? undefined : tokens.get(step.tokenOf);
      if (step.tokenOf !== undefined && token === undefined) continue;
      try {
        const answer = await this.#ask(step, token);
        results.set(step.name, resultNames(answer));
        const next = nextToken(answer);
        if (next !== undefined) tokens.set(step.name, next);
        const earlier = results.get(step.want.sameResultsAs ?? "");
        wrong.push(...checkAnswer(step, answer, earlier).map((one) => `${step.name}: ${one}`));
      } catch (error) {
        wrong.push(`${step.name}: no answer: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return wrong;
  }

  /** The answer to a step; of a step about every page, the last page with the results of all. */
  async #ask(step: Step, token?: string): Promise<Answer> {
    let answer = await this.#send(step, token);
    if (step.everyPage !== true) return answer;
    const results = resultsOf(answer);
    for (let page = 1, next = nextToken(answer); next !== undefined; page += 1) {
      if (page === MAX_PAGES) throw new Error(`no end after ${MAX_PAGES} pages`);
      answer = await this.#send(step, next);
      if (answer.status !== 200) return answer;
      results.push(...resultsOf(answer));
      next = nextToken(answer);
    }
    const body = parseJson(answer.text);
    if (!isObject(body)) return answer;
    const { page: _, ...rest } = body;
    return { ...answer, text: JSON.stringify({ ...rest, results }) };
  }

  #send(step: Step, token?: string): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (step.contentType !== null) headers["content-type"] = step.contentType ?? "application/json";
    if (step.requestId !== undefined) headers["x-request-id"] = step.requestId;
    const body = token === undefined ? step.body : { ...step.body, page: { token } };
    const text = step.text ?? JSON.stringify(body ?? {});
    return this.#pdp.send("POST", this.#endpoints[step.endpoint], headers, text);
  }
}

function resultsOf({ text }: Answer): unknown[] {
  const body = parseJson(text);
  const results: unknown = isObject(body) ? body["results"] : undefined;
  return Array.isArray(results) ? results.slice() : [];
}
