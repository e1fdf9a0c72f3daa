/**
 * Where the time of one small request goes: decoding by kind of value, deciding by family of CEL functions, responding by what
 * is written. Each case is a whole call of the engine, bytes to bytes; the figure per item is what it costs beyond the same
 * call without the items. tinybench takes the times.
 */
import { Packr } from "msgpackr";
import { Bench } from "tinybench";

import { compile } from "../../compiler/index.ts";
import { Engine, type Format } from "../../runtime/index.ts";
import type { BenchOptions } from "../options.ts";
import { ACTIONS, FAMILIES, familyPolicies, kindOf, OUTPUT_KIND, PLAIN_KIND } from "./families.ts";

export interface MicroRow {
  readonly stage: "decode" | "decide" | "respond";
  readonly name: string;
  readonly encoding: Format;
  /** Median of a whole call. */
  readonly nanosecondsPerCall: number;
  /** What one value, condition or decision adds to the call of the baseline. */
  readonly nanosecondsPerItem: number;
}

interface Case {
  readonly stage: MicroRow["stage"];
  readonly name: string;
  readonly encoding: Format;
  readonly request: object;
  readonly items: number;
  /** Name of the case that this one is compared with; "" for a baseline. */
  readonly baseline: string;
}

const VALUES_PER_REQUEST = 20;
/** Calls per sample: one call takes about as long as reading the clock. */
const BATCH = 50;
const FORMATS: readonly Format[] = ["json", "msgpack"];

// oxfmt-ignore
const VALUE_KINDS: readonly (readonly [string, (index: number) => unknown])[] = [
  ["null",                    () => null],
  ["boolean",                 (index) => index % 2 === 0],
  ["integer",                 (index) => 1000 + index],
  ["double",                  (index) => 0.1 + index],
  ["string of 8",             (index) => `value-${10 + index}`],
  ["string of 200",           (index) => String(index).repeat(200).slice(0, 200)],
  ["string of 20, escapes",   (index) => `"line"\n\t${index}é${index}\\path`],
  ["list of 10 integers",     (index) => Array.from({ length: 10 }, (_, item) => index + item)],
  ["map of 10 strings",       (index) => Object.fromEntries(Array.from({ length: 10 }, (_, key) => [`key${key}`, `v${index}`]))],
  ["nested 8 deep",           (index) => Array.from({ length: 8 }).reduce<unknown>((inner) => ({ inner }), index)],
];

const ATTRIBUTES = {
  owner: "john",
  amount: 500,
  open: true,
  name: "record-12345",
  regions: ["eu", "us", "ap"],
  tags: { team: "core", tier: "gold" },
  created: "2024-05-17T10:11:12Z",
  path: "a.b.c",
  digits: "12345",
};

function request(kind: string, actions: readonly string[], attr: object, more: object = {}): object {
  return {
    requestId: "micro",
    ...more,
    principal: { id: "john", roles: ["user"], attr: { address: "10.20.5.5" } },
    resources: [{ actions, resource: { kind, id: "1", attr } }],
  };
}

const actionNames = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`);

function decodeCases(): Case[] {
  return FORMATS.flatMap((encoding) => {
    const baseline = `no attributes, ${encoding}`;
    const of = (name: string, attr: object, items: number): Case => ({
      stage: "decode",
      name,
      encoding,
      request: request(PLAIN_KIND, ["a0"], attr),
      items,
      baseline: items === 0 ? "" : baseline,
    });
    const kinds = VALUE_KINDS.map(([name, value]) => {
      const entries = Array.from({ length: VALUES_PER_REQUEST }, (_, index) => [
        `unread${index}`,
        value(index),
      ]);
      return of(name, Object.fromEntries(entries), VALUES_PER_REQUEST);
    });
    return [of(baseline, {}, 0), ...kinds];
  });
}

function decideCase(name: string, kind: string, items: number): Case {
  return {
    stage: "decide",
    name,
    encoding: "json",
    request: request(kind, actionNames(ACTIONS), ATTRIBUTES),
    items,
    baseline: items === 0 ? "" : "no conditions",
  };
}

function decideCases(): Case[] {
  return [
    decideCase("no conditions", PLAIN_KIND, 0),
    ...FAMILIES.map(({ name }, index) => decideCase(name, kindOf(index), ACTIONS)),
  ];
}

function respondCase(name: string, encoding: Format, kind: string, count: number, more: object): Case {
  return {
    stage: "respond",
    name,
    encoding,
    request: request(kind, actionNames(count), {}, more),
    items: count === 1 ? 0 : count - 1,
    baseline: count === 1 ? "" : `1 action, ${encoding}`,
  };
}

function respondCases(): Case[] {
  return FORMATS.flatMap((encoding) => [
    respondCase(`1 action, ${encoding}`, encoding, PLAIN_KIND, 1, {}),
    respondCase("50 actions", encoding, PLAIN_KIND, 50, {}),
    respondCase("50 actions with meta", encoding, PLAIN_KIND, 50, { includeMeta: true }),
    respondCase("50 actions with outputs", encoding, OUTPUT_KIND, 50, {}),
  ]);
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Every case has to be answered with ALLOW only, or the figure would be that of an error. */
function requireAllowed(engine: Engine, one: Case): Uint8Array {
  const answer = Buffer.from(
    engine.checkBytes(Buffer.from(JSON.stringify(one.request)), "json").bytes,
  ).toString();
  if (!answer.includes("EFFECT_ALLOW") || answer.includes("EFFECT_DENY"))
    throw new Error(`\`${one.name}\` is not allowed: ${answer}`);
  return one.encoding === "json" ? Buffer.from(JSON.stringify(one.request)) : packr.pack(one.request);
}

export async function measureMicro(options: BenchOptions): Promise<readonly MicroRow[]> {
  const { bundle, diagnostics } = await compile(familyPolicies());
  if (bundle === undefined) throw new Error(diagnostics[0]?.message ?? "no bundle");
  const engine = await Engine.load(bundle);
  const cases = [...decodeCases(), ...decideCases(), ...respondCases()];
  const bench = new Bench({
    time: options.quick ? 30 : 200,
    warmupTime: options.quick ? 10 : 50,
    warmupIterations: 8,
  });
  for (const [index, one] of cases.entries()) {
    const body = requireAllowed(engine, one);
    bench.add(String(index), () => {
      for (let left = BATCH; left > 0; left--) {
        if (engine.checkBytes(body, one.encoding).status !== 0)
          throw new Error(`\`${one.name}\` was refused`);
      }
    });
  }
  await bench.run();
  const times = new Map<Case, number>();
  for (const task of bench.tasks) {
    const one = cases[Number(task.name)];
    if (one === undefined || task.result.state !== "completed")
      throw new Error(`${task.name}: ${task.result.state}`);
    times.set(one, (task.result.latency.p50 * 1e6) / BATCH);
  }
  return cases.map((one) => {
    const base = cases.find(({ stage, name }) => stage === one.stage && name === one.baseline);
    const call = times.get(one) ?? 0;
    return {
      stage: one.stage,
      name: one.name,
      encoding: one.encoding,
      nanosecondsPerCall: call,
      nanosecondsPerItem: base === undefined ? 0 : (call - (times.get(base) ?? 0)) / one.items,
    };
  });
}
