/**
 * Attributes of random requests: a fixed set of names, each with the kind of value it usually has. Values go missing and
 * change places now and then, so every condition meets an attribute it did not expect. Maps have at most one key
 * where their order could show: the real Cerbos visits the keys of a map in random order.
 */
import type { JsonValue } from "../../../compiler/policy/policy-set.ts";
import type { Attributes } from "../interpreter/request.ts";
import type { Random } from "../random.ts";
import { TEXT_POOLS, TEXTS, type TextPool } from "./texts.ts";

export type Shape =
  | TextPool
  | "n"
  | "flag"
  | "words"
  | "numbers"
  | "map"
  | "record"
  | "records"
  | "null"
  | "mixed";

/** Numbers that conditions and requests share. */
export const NUMBERS: readonly number[] = [
  0, 1, -1, 2, 3, 5, 10, 0.5, -2.5, 1e10, 9007199254740992, 1e300, 2.000001,
];

/** Every attribute name with its usual kind of value; names of text pools hold texts of that pool. */
export const ATTRIBUTES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ...TEXT_POOLS.map((pool) => [pool, pool] as const),
  ["n", "n"],
  ["m", "n"],
  ["flag", "flag"],
  ["off", "flag"],
  ["words", "words"],
  ["tags", "words"],
  ["numbers", "numbers"],
  ["map", "map"],
  ["record", "record"],
  ["records", "records"],
  ["none", "null"],
  ["mixed", "mixed"],
]);

const NAMES = [...ATTRIBUTES.keys()];
const FIELDS = ["a", "b", "k"];

/** Names of attributes whose usual value has one of these kinds. */
export function attributesOf(...shapes: readonly Shape[]): readonly string[] {
  return NAMES.filter((name) => shapes.some((shape) => ATTRIBUTES.get(name) === shape));
}

/** The attributes of one principal or resource. */
export function randomAttributes(random: Random): Attributes {
  const attributes: Record<string, JsonValue> = {};
  for (const [name, shape] of ATTRIBUTES) {
    if (random.chance(0.08)) continue;
    const other = random.chance(0.06) ? ATTRIBUTES.get(random.pick(NAMES, name)) : undefined;
    attributes[name] = randomValue(other ?? shape, random);
  }
  return attributes;
}

/** Names of claims: attributes of some shapes, under the same names. */
export const CLAIMS: readonly string[] = ["word", "n", "flag", "words", "mixed", "record", "none", "instant"];

/** The claims of a token. */
export function randomClaims(random: Random): Attributes {
  const claims: Record<string, JsonValue> = {};
  for (const name of CLAIMS) {
    const shape = ATTRIBUTES.get(random.chance(0.06) ? random.pick(CLAIMS, name) : name);
    if (shape !== undefined && !random.chance(0.15)) claims[name] = randomValue(shape, random);
  }
  return claims;
}

const MAKERS: Readonly<Record<Exclude<Shape, TextPool>, (random: Random) => JsonValue>> = {
  n: (random) => random.pick(NUMBERS, 0),
  flag: (random) => random.chance(0.5),
  words: (random) => several(random, () => random.pick(TEXTS.word, "a")),
  numbers: (random) => several(random, () => random.pick(NUMBERS, 0)),
  map: (random) => (random.chance(0.1) ? {} : { [random.pick(FIELDS, "a")]: scalar(random) }),
  record: (random) => ({ k: random.pick(TEXTS.word, "a") }),
  records: (random) => several(random, () => ({ k: scalar(random) })),
  null: () => null,
  mixed: (random) => several(random, () => scalar(random)),
};

function randomValue(shape: Shape, random: Random): JsonValue {
  return isText(shape) ? random.pick<string>(TEXTS[shape], "") : MAKERS[shape](random);
}

function isText(shape: Shape): shape is TextPool {
  return shape in TEXTS;
}

function scalar(random: Random): JsonValue {
  switch (random.below(5)) {
    case 0:
      return random.chance(0.5);
    case 1:
      return null;
    case 2:
      return random.pick(NUMBERS, 0);
    default:
      return random.pick(TEXTS.word, "a");
  }
}

function several(random: Random, one: () => JsonValue): JsonValue {
  return Array.from({ length: random.below(4) }, one);
}
