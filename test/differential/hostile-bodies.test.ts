/**
 * Ten thousand damaged request bodies in each format: an engine refuses each with a typed error or decides it exactly as
 * the reference interpreter does, and never traps. What it accepts, an independent parser accepts too, so nothing
 * malformed is ever allowed.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pack, unpack } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK, STATUS_OK } from "../../assembly/abi.ts";
import { readSources } from "../../compiler/directory.ts";
import type { Program } from "../../compiler/ir/program.ts";
import { type Engine, type Format, RequestError } from "../../runtime/index.ts";
import { BUILD_CORE, bundleOf, CORE_IS_BUILT, loadEngine } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { differences } from "./compare.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest } from "./interpreter/request.ts";
import { Random } from "./random.ts";
import { timesEffort } from "../support/effort.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const BODIES = timesEffort(3_000);
const SEED = 20_261_121;

/** Bytes that mean something in one of the formats, to hit more than "syntax error". */
const INTERESTING = Buffer.from('{}[]",:\\0tfn- \u00001.eE', "latin1");

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "hostile bodies" : `hostile bodies (${BUILD_CORE})`, () => {
  let engine: Engine;
  let program: Program;
  let requests: unknown[];

  beforeAll(async () => {
    const { sources } = await readSources(join(EXAMPLES, "policies"));
    const planned = programOf(sources);
    if (planned.program === undefined) throw new Error("the sample policies do not compile");
    program = planned.program;
    engine = await loadEngine(await bundleOf(sources));
    const folder = join(EXAMPLES, "requests");
    requests = readdirSync(folder).map(
      (name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown,
    );
  });

  it.each(["json", "msgpack"] as const)("in %s are refused or decided as they are", (format) => {
    const random = new Random(SEED);
    let accepted = 0;
    for (let turn = 0; turn < BODIES; turn += 1) {
      const body = damage(encode(random.pick(requests, requests[0]), format), random);
      const { status, bytes } = engine.checkBytes(body, format, "json");
      const where = `turn ${turn}: ${Buffer.from(body).toString("latin1")}`;
      if (status === STATUS_OK) {
        accepted += 1;
        const response = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
        const wanted = check(program, decode(body, format), {
          onError: "fail-closed",
          now: BigInt(Date.now()) * 1_000_000n,
        });
        expect(differences(response, wanted), where).toEqual([]);
      } else {
        const error = engine.failure(status, body, format === "json" ? FORMAT_JSON : FORMAT_MSGPACK);
        expect(error, where).toBeInstanceOf(RequestError);
        expect(error.message, where).not.toBe("");
      }
    }
    expect(engine.traps).toBe(0);
    // Both sides must be exercised for the comparison to mean anything.
    expect(accepted).toBeGreaterThan(BODIES / 100);
    expect(accepted).toBeLessThan(BODIES);
  });
});

function encode(request: unknown, format: Format): Uint8Array {
  return format === "json"
    ? new TextEncoder().encode(JSON.stringify(request))
    : new Uint8Array(pack(request));
}

/** Reads with a parser of somebody else; throws for what is malformed, which fails the test. */
function decode(body: Uint8Array, format: Format): CheckRequest {
  return (
    format === "json" ? JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) : unpack(body)
  ) as CheckRequest;
}

/** One to four cuts, flips, insertions, repetitions or swaps. */
function damage(body: Uint8Array, random: Random): Uint8Array {
  let bytes = Buffer.from(body);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(bytes.length);
    const byte = INTERESTING[random.below(INTERESTING.length)] ?? 0;
    switch (random.below(6)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        bytes[at] = byte;
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(20))]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(at + 1))]);
    }
  }
  return new Uint8Array(bytes);
}
