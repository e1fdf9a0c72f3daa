/**
 * Entries that begin like the one before are not read again (assembly/decode/repeats.ts). Whatever is taken over, the
 * content must be that of the slow reference: nothing of another entry, nothing left out.
 */
import { beforeAll, describe, expect, it } from "vitest";

import { STATUS_DUPLICATE_KEY, STATUS_OK } from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { mutate, random, toJson, toMsgpack } from "./bodies.ts";
import { type DecoderHost, type Format, startDecoder } from "./decoder-host.ts";
import { contentOf, contentOfDecoded, parseJson, parseMsgpack } from "./reference.ts";
import { timesEffort } from "../../support/effort.ts";

const ROUNDS = { debug: timesEffort(500), release: timesEffort(2_000) } as const;

type Next = (bound: number) => number;
type Fields = readonly (readonly [string, unknown])[];

function pick<T>(values: readonly T[], next: Next): T {
  const value = values[next(values.length)];
  if (value === undefined) throw new Error("nothing to pick from");
  return value;
}

/** Some of the fields, in the given order or in any. */
function someOf(fields: Fields, next: Next): Record<string, unknown> {
  const chosen = fields.filter(() => next(8) !== 0);
  if (next(3) === 0) chosen.sort(() => next(3) - 1);
  return Object.fromEntries(chosen);
}

/** An entry of few different values, so that neighbours have a part in common more often than not. */
function entry(next: Next): unknown {
  const kinds = ["album", "album", "a kind of more than sixteen bytes", 'quo"ted', "grüße", ""];
  const actions = [
    ["view"],
    ["view", "edit"],
    ["view:public", "approve"],
    ["a", "b", "c", "d", "e", "f", "g"],
    [],
    null,
  ];
  const resource = someOf(
    [
      ["kind", pick(kinds, next)],
      ["policyVersion", pick(["default", "default", "20210210", ""], next)],
      ["scope", pick(["acme.hr", "acme", null], next)],
      ["id", `id-${next(3)}`],
      [
        "attr",
        pick(
          [{ owner: "ann", amount: next(5) }, { amount: 1, owner: "bob", x: [1, { y: 2 }] }, {}, null],
          next,
        ),
      ],
    ],
    next,
  );
  return someOf(
    next(2) === 0
      ? [
          ["actions", pick(actions, next)],
          ["resource", resource],
        ]
      : [
          ["resource", resource],
          ["actions", pick(actions, next)],
        ],
    next,
  );
}

function request(next: Next): unknown {
  const first = entry(next);
  const resources = Array.from({ length: 1 + next(8) }, () => (next(3) === 0 ? first : entry(next)));
  return { principal: { id: "p", roles: ["user"], attr: { department: "x" } }, resources };
}

/** A msgpack map of at most 15 encoded values. */
function map(...fields: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  return Buffer.concat([
    Buffer.of(0x80 | fields.length),
    ...fields.flatMap(([key, value]) => [toMsgpack(key), value]),
  ]);
}

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;

  beforeAll(async () => {
    host = await startDecoder(build);
    host.project(["department"], ["owner", "amount"]);
  });

  function compare(format: Format, body: Uint8Array): number {
    const { status } = host.decode(format, body, {});
    const parsed = format === "json" ? parseJson(body) : parseMsgpack(body);
    const wanted = parsed === undefined ? undefined : contentOf(parsed);
    const label = () => `${format} ${Buffer.from(body).toString("latin1")}`;
    if (wanted === undefined) expect(status, label()).not.toBe(STATUS_OK);
    else {
      expect(status, label()).toBe(STATUS_OK);
      expect(contentOfDecoded(host.request()), label()).toEqual(wanted);
    }
    return status;
  }

  it.each(["json", "msgpack"] as const)("reads every entry of a %s batch as its own", (format) => {
    const next = random(0x2e9ea75);
    const encode = format === "json" ? (value: unknown) => toJson(value, next(6) === 0 ? 1 : 0) : toMsgpack;
    let damaged = 0;
    for (let round = 0; round < ROUNDS[build]; round++) {
      const body = encode(request(next));
      if (next(3) !== 0) expect(compare(format, body)).toBe(STATUS_OK);
      else if (compare(format, mutate(body, next)) !== STATUS_OK) damaged += 1;
    }
    expect(damaged).toBeGreaterThan(ROUNDS[build] / 20);
  });

  it("does not lend an entry what stands behind the common part of the one before", () => {
    const start = '{"principal":{"id":"p","roles":["user"]},"resources":[';
    const entries = [
      '{"resource":{"kind":"album","id":"1","policyVersion":"v1","scope":"acme"},"actions":["view","edit"]}',
      '{"resource":{"kind":"album","id":"2"}}',
      '{"resource":{"kind":"album","id":"3","scope":"other"},"actions":["view","edit"]}',
    ];
    expect(compare("json", Buffer.from(`${start}${entries.join(",")}]}`))).toBe(STATUS_OK);
    const [, second, third] = host.request().resources;
    expect(second?.actions).toEqual([]);
    expect(JSON.stringify(second)).not.toMatch(/v1|acme/u);
    expect(JSON.stringify(third)).not.toMatch(/v1|acme/u);
  });

  it("still finds a field given twice in msgpack when the first is in the common part", () => {
    const kind = ["kind", toMsgpack("album")] as const;
    const id = ["id", toMsgpack("1")] as const;
    const actions = ["actions", toMsgpack(["view"])] as const;
    const entryOf = (...fields: readonly (readonly [string, Uint8Array])[]) =>
      ["resource", map(...fields)] as const;
    const bodyOf = (...entries: readonly Uint8Array[]): Uint8Array =>
      map(
        ["principal", toMsgpack({ id: "p", roles: ["user"] })],
        ["resources", Buffer.concat([Buffer.of(0x90 | entries.length), ...entries])],
      );
    // The number of fields stands in the common part, so that both resources have three.
    const version = ["policyVersion", toMsgpack("v1")] as const;
    const good = map(actions, entryOf(kind, id, version));
    expect(compare("msgpack", bodyOf(good, good))).toBe(STATUS_OK);
    for (const bad of [
      map(actions, entryOf(kind, id, kind)),
      map(actions, entryOf(kind, id, id)),
      map(actions, actions),
    ]) {
      expect(host.decode("msgpack", bodyOf(good, bad), {}).status).toBe(STATUS_DUPLICATE_KEY);
    }
  });

  it("still finds a field given twice when the first is in the common part", () => {
    const start = '{"principal":{"id":"p","roles":["user"]},"resources":[';
    const good = '{"actions":["view"],"resource":{"kind":"album","id":"1"}}';
    for (const bad of [
      '{"actions":["view"],"resource":{"kind":"album","id":"1","kind":"album"}}',
      '{"actions":["view"],"resource":{"kind":"album","id":"1"},"actions":["view"]}',
      '{"actions":["view"],"resource":{"kind":"album","id":"1"},"resource":{"kind":"album","id":"1"}}',
      '{"actions":["view"],"resource":{"kind":"album",}}',
      '{"actions":["view"],"resource":{"kind":"album","',
    ]) {
      expect(host.decode("json", Buffer.from(`${start}${good},${bad}]}`), {}).status, bad).not.toBe(
        STATUS_OK,
      );
    }
  });
});
