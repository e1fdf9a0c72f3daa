/**
 * Request bodies for the decoder tests: the Cerbos load-test requests where the corpus is present, one of our own that
 * uses every field, and ways to damage them.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Packr } from "msgpackr";

const CORPUS =
  process.env["EDICT_CORPUS"] ?? fileURLToPath(new URL("../../../../shared/corpus", import.meta.url));

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** A request with every field, escapes, other scripts, nested attributes and numbers of all kinds. */
export const FULL_REQUEST = {
  requestId: "r-1",
  includeMeta: true,
  principal: {
    id: "jürgen",
    policyVersion: "v1",
    roles: ["employee", 'manager of "everything"', "日本語の役割とても長い名前です"],
    attr: {
      department: "marketing",
      tags: ["a", "b", { c: [1, 2.5, -3e-7, 1e21, true, null] }],
      nested: { deep: { deeper: "\u0000\n\t\\\u{1f600}" } },
      age: 42,
      ratio: 0.1,
      flag: false,
      nothing: null,
    },
    scope: "acme.hr",
  },
  resources: [
    {
      actions: ["view:public", "approve", "an action with a long name that needs several blocks"],
      resource: {
        kind: "leave_request",
        policyVersion: "",
        id: "XX125",
        attr: { owner: "john", amount: 1200 },
        scope: "",
      },
    },
    { actions: ["view"], resource: { kind: "document", id: "d/1", attr: {} } },
    { actions: ["view"], resource: { kind: "document", id: "d/2" } },
  ],
  auxData: { jwt: { token: "abc.def.ghi", keySetId: "default" } },
  requestContext: { annotations: { trace: "x", n: [1] } },
};

/** The load-test requests (both sets); empty where the corpus is absent. */
export function loadTestRequests(): readonly unknown[] {
  const sets = ["classic", "multitenant"].map((name) => join(CORPUS, "loadtest", name, "requests"));
  return sets.filter(existsSync).flatMap((directory) =>
    readdirSync(directory).map((name) => {
      const text = readFileSync(join(directory, name), "utf8").replaceAll("@N@", "00042");
      return JSON.parse(text) as unknown;
    }),
  );
}

export function toJson(value: unknown, indent?: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, indent));
}

export function toMsgpack(value: unknown): Uint8Array {
  return Uint8Array.from(packr.pack(value));
}

/** Numbers from 0 up to (not including) a bound, the same for the same seed. */
export function random(seed: number): (bound: number) => number {
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const TOKENS = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "null",
  "true",
  "1e9",
  "-",
  '"id"',
  " ",
  "\n",
  "\\u0041",
  "é",
].map((token) => new TextEncoder().encode(token));

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** One to three damages: bytes changed, removed, inserted, repeated or cut off; tokens and spans moved. */
export function mutate(body: Uint8Array, next: (bound: number) => number): Uint8Array {
  let bytes = body;
  for (let left = 1 + next(3); left > 0; left--) bytes = damage(bytes, next);
  return bytes;
}

function damage(body: Uint8Array, next: (bound: number) => number): Uint8Array {
  const at = next(body.length + 1);
  const end = Math.min(body.length, at + 1 + next(12));
  const before = body.subarray(0, at);
  switch (next(7)) {
    case 0:
      return concat(before, Uint8Array.of(next(256)), body.subarray(at + 1));
    case 1:
      return concat(before, body.subarray(end));
    case 2:
      return concat(before, Uint8Array.of(next(256)), body.subarray(at));
    case 3:
      return concat(before, body.subarray(at, end), body.subarray(at));
    case 4:
      return before;
    case 5:
      return concat(before, TOKENS[next(TOKENS.length)] ?? before, body.subarray(at));
    default: {
      const from = next(body.length + 1);
      return concat(before, body.subarray(from, from + next(40)), body.subarray(at));
    }
  }
}
