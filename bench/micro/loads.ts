/**
 * What a core of the guest is asked when it is compared or profiled: load-test bodies one by one, in batches, and several in one call, and
 * AuthZEN evaluations in batches.
 */
import { Packr } from "msgpackr";

import { FLAG_EVALUATIONS, FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import type { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";
import { loadtestBodies, loadtestPolicies } from "../load/loadtest-set.ts";
import { callsOf } from "./bodies-together.ts";
import { bodiesOf } from "./decisions.ts";
import { oneTypeBody } from "./one-type.ts";
import { SEARCH_POLICY } from "./search.ts";

/** Requests of 10 decisions alone, requests of 1,000 decisions alone, AT_ONCE requests of 10 decisions in one call, and 1,000 evaluations in one body. */
export const LOADS = ["single", "batch", "together", "evaluations"] as const;
export type Load = (typeof LOADS)[number];

/** Requests that are decided in one call. */
export const AT_ONCE = 16;

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Asks an engine everything once; the number of calls that took. Throws when a request is refused. */
export type Round = (engine: Engine) => number;

/** The round of one load over `copies` of the load-test set. */
export function roundOf(load: Load, encoding: Encoding, copies: number): Round {
  if (load === "evaluations") return evaluations(encoding);
  const loadtest = loadtestBodies(copies);
  if (load === "together")
    return together(
      loadtest.filter(({ decisions }) => decisions === 10).map((body) => body[encoding]),
      encoding,
    );
  const bodies = bodiesOf(load === "single" ? 10 : 1000, loadtest).map((body) => body[encoding]);
  return (engine) => {
    for (const body of bodies)
      if (engine.checkBytes(body, encoding).status !== 0) throw new Error("a request was refused");
    return bodies.length;
  };
}

/** The policies that decide all loads: `copies` of the load-test set, and that of the evaluations. */
export function policiesOf(copies: number): ReturnType<typeof loadtestPolicies> {
  return [...loadtestPolicies(copies), { path: "record.yaml", text: SEARCH_POLICY }];
}

function evaluations(encoding: Encoding): Round {
  const format = encoding === "json" ? FORMAT_JSON : FORMAT_MSGPACK;
  const body = oneTypeBody(1000);
  const bytes = encoding === "json" ? Buffer.from(JSON.stringify(body)) : packr.pack(body);
  return (engine) => {
    if (engine.decide(bytes, format, format, FLAG_EVALUATIONS) !== 0)
      throw new Error("a request was refused");
    return 1;
  };
}

function together(bodies: readonly Uint8Array[], encoding: Encoding): Round {
  const calls = callsOf(bodies, encoding, AT_ONCE);
  return (engine) => {
    for (const call of calls) call(engine);
    return calls.length;
  };
}
