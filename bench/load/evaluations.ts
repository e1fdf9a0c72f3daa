/**
 * AuthZEN evaluations: requests per second of `/access/v1/evaluation` beside the echo server with the same bodies, batches of 1,000
 * in-process, and the first page of a search. The questions are those of the load-test set, one resource and action each; before
 * anything is measured both APIs have to give the same decision.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { Packr } from "msgpackr";

import { FLAG_EVALUATIONS, FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { Engine } from "../../runtime/index.ts";
import { ONE_TYPE, oneTypeBody } from "../micro/one-type.ts";
import { compileSearchPolicy, measureSearch, type SearchResult } from "../micro/search.ts";
import type { BenchOptions } from "../options.ts";
import { median, spread } from "../report/statistics.ts";
import { chooseGenerator } from "./generators.ts";
import { CHECK_PATH, formatRequest, MEDIA_TYPES, writeRequestFile, type Encoding } from "./http-requests.ts";
import { loadtestBodies } from "./loadtest-set.ts";
import { startEcho, startEdict, startUndecided, withServers } from "./servers.ts";
import { measureSideBySide, type SideBySideFigures } from "./side-by-side.ts";
import { steadily } from "./steadiness.ts";

export interface EvaluationBatch {
  /** What the evaluations are about. */
  readonly about: string;
  readonly encoding: Encoding;
  readonly bodyBytes: number;
  /** Median over the rounds. */
  readonly decisionsPerSecond: number;
  readonly spread: number;
}

/** What is always there of a server under one encoding. */
export type EvaluationRate = Partial<SideBySideFigures> &
  Pick<SideBySideFigures, "server" | "encoding" | "requestsPerSecond" | "spread">;

export interface EvaluationsResult {
  readonly bodyBytes: number;
  /** Over HTTP: a server under one encoding each. Results of before 2026-11-23T04 hold less. */
  readonly rates: readonly EvaluationRate[];
  readonly batches: readonly EvaluationBatch[];
  readonly search: SearchResult;
}

interface Entity {
  readonly id: string;
  readonly attr?: object;
  readonly policyVersion?: string;
  readonly scope?: string;
}
interface CheckRequest {
  readonly principal: Entity & { readonly roles: readonly string[] };
  readonly resources: readonly {
    readonly actions: readonly string[];
    readonly resource: Entity & { readonly kind: string };
  }[];
}
interface Evaluation {
  readonly subject: object;
  readonly action: { readonly name: string };
  readonly resource: object;
}

const PATH = "/access/v1/evaluation";
const ITEMS = 1000;
const RESOURCES = 100_000;
const QUICK_RESOURCES = 10_000;
const COMPARED = 50;
const BURST = 300;
const packr = new Packr({ useRecords: false, variableMapSize: true });

function propertiesOf({ attr, policyVersion, scope }: Entity, more: object = {}): object {
  return {
    ...more,
    ...(policyVersion === undefined ? {} : { "cerbos.policyVersion": policyVersion }),
    ...(scope === undefined ? {} : { "cerbos.scope": scope }),
    ...attr,
  };
}

/** Every question of a check as an evaluation. */
function evaluationsOf({ principal, resources }: CheckRequest): Evaluation[] {
  const subject = {
    type: "user",
    id: principal.id,
    properties: propertiesOf(principal, { "cerbos.roles": principal.roles }),
  };
  return resources.flatMap(({ actions, resource }) =>
    actions.map((name) => ({
      subject,
      action: { name },
      resource: { type: resource.kind, id: resource.id, properties: propertiesOf(resource) },
    })),
  );
}

function encode(body: unknown, encoding: Encoding): Uint8Array {
  return encoding === "json" ? Buffer.from(JSON.stringify(body)) : packr.pack(body);
}

async function post(port: number, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "Content-Type": MEDIA_TYPES.json },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** Throws when an evaluation is not decided as the check that asks the same. */
async function compare(port: number, checks: readonly CheckRequest[]): Promise<void> {
  for (const check of checks) {
    const { results } = (await post(port, CHECK_PATH, check)) as {
      readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
    };
    const wanted = check.resources.flatMap(({ actions }, index) =>
      actions.map((action) => results[index]?.actions[action] === "EFFECT_ALLOW"),
    );
    for (const [index, evaluation] of evaluationsOf(check).entries()) {
      const { decision } = (await post(port, PATH, evaluation)) as { readonly decision: boolean };
      if (decision !== wanted[index]) throw new Error(`decided differently: ${JSON.stringify(evaluation)}`);
    }
  }
}

async function measureRates(
  bundle: Uint8Array,
  checks: readonly CheckRequest[],
  options: BenchOptions,
): Promise<readonly EvaluationRate[]> {
  return withServers(async (start, directory) => {
    const bundleFile = join(directory, "loadtest.edict");
    writeFileSync(bundleFile, bundle);
    const echo = await start(startEcho());
    const edict = await start(startEdict(bundleFile));
    const undecided = await start(startUndecided(bundleFile));
    await compare(edict.port, checks.slice(0, COMPARED));
    const files = { json: join(directory, "json.requests"), msgpack: join(directory, "msgpack.requests") };
    const bodies = checks.flatMap((check) => evaluationsOf(check));
    for (const encoding of ["json", "msgpack"] as const) {
      writeRequestFile(
        files[encoding],
        bodies.map((body) => formatRequest(encode(body, encoding), encoding, PATH)),
      );
    }
    const { connections, rounds, seconds } = options;
    const { generator } = await chooseGenerator({
      port: echo.port,
      connections,
      seconds,
      requestFile: files.json,
    });
    const targets = (["json", "msgpack"] as const).flatMap((encoding) =>
      [echo, edict, undecided].map((server) => ({ server, encoding, requestFile: files[encoding] })),
    );
    return measureSideBySide(targets, { generator, connections, rounds, seconds, warmUpSeconds: 1 });
  });
}

interface Batch {
  readonly about: string;
  readonly engine: Engine;
  readonly body: unknown;
}

/** One subject and action, and as many resources as there are items, no two with the same id. */
function batchOf(about: string, engine: Engine, shared: object, resource: (index: number) => object): Batch {
  const evaluations = Array.from({ length: ITEMS }, (_, index) => ({ resource: resource(index) }));
  return { about, engine, body: { ...shared, evaluations } };
}

async function batches(bundle: Uint8Array, checks: readonly CheckRequest[]): Promise<readonly Batch[]> {
  const loadtest = await Engine.load(bundle);
  const [first] = checks.flatMap((check) => evaluationsOf(check));
  const shared = { subject: first?.subject, action: first?.action };
  const resources = checks.flatMap((check) => check.resources.map(({ resource }) => resource));
  const fromSet = (index: number, most: number): object => {
    const resource = resources[index % most];
    if (resource === undefined) throw new Error("the load-test set has no resources");
    return { type: resource.kind, id: `${resource.id}-${index}`, properties: propertiesOf(resource) };
  };
  return [
    { about: ONE_TYPE, engine: await Engine.load(await compileSearchPolicy()), body: oneTypeBody(ITEMS) },
    batchOf("load-test set, one kind", loadtest, shared, (index) => fromSet(index, 1)),
    batchOf("load-test set, all kinds", loadtest, shared, (index) => fromSet(index, resources.length)),
  ];
}

async function measureBatches(
  bundle: Uint8Array,
  checks: readonly CheckRequest[],
  options: BenchOptions,
): Promise<EvaluationBatch[]> {
  const series = (await batches(bundle, checks)).flatMap(({ about, engine, body }) =>
    (["json", "msgpack"] as const).map((encoding) => ({
      about,
      engine,
      encoding,
      bytes: encode(body, encoding),
      format: encoding === "json" ? FORMAT_JSON : FORMAT_MSGPACK,
      rates: [] as number[],
    })),
  );
  for (let round = 0; round <= options.rounds; round++) {
    for (const { engine, bytes, format, rates } of series) {
      const reached = await steadily(() => {
        const began = performance.now();
        let calls = 0;
        do {
          const status = engine.decide(bytes, format, format, FLAG_EVALUATIONS);
          if (status !== 0) throw new Error(`the engine answered status ${status}`);
          calls++;
        } while (performance.now() - began < BURST);
        return (calls * ITEMS * 1000) / (performance.now() - began);
      });
      // The first round warms up.
      if (round > 0) rates.push(reached);
    }
  }
  return series.map(({ about, encoding, bytes, rates }) => ({
    about,
    encoding,
    bodyBytes: bytes.byteLength,
    decisionsPerSecond: Math.round(median(rates)),
    spread: spread(rates),
  }));
}

/** `bundle` is the compiled load-test set. */
export async function measureEvaluations(
  bundle: Uint8Array,
  options: BenchOptions,
): Promise<EvaluationsResult> {
  const checks = loadtestBodies(options.copies).map(({ json }): CheckRequest =>
    JSON.parse(Buffer.from(json).toString()),
  );
  const bodies = checks.flatMap((check) => evaluationsOf(check));
  return {
    bodyBytes: bodies.reduce((sum, body) => sum + encode(body, "json").byteLength, 0) / bodies.length,
    rates: await measureRates(bundle, checks, options),
    batches: await measureBatches(bundle, checks, options),
    search: await measureSearch(options.quick ? QUICK_RESOURCES : RESOURCES),
  };
}
