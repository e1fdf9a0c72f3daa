/**
 * Answers the guest's question for schemas: validates the attributes of one request and writes the verdicts that the guest
 * puts into the response (layout in assembly/decide/schema-verdicts.ts).
 */
import { pack, Unpackr } from "msgpackr";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import { Budget, stepsFor } from "./budget.ts";
import type { SchemaValidator } from "./validator.ts";

/** Largest block of verdicts in bytes; a request that has more errors is rejected without naming them all. */
export const MAX_VERDICTS_SIZE = 1024 * 1024;

const HEADER = 8;

/** Large integers become doubles, as in the guest; maps are turned into objects here, which can hold every name (`__proto__`). */
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: "number" });

/** A decoded msgpack value with objects for its maps. Its depth is limited: the guest has read it before. */
export function withObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withObjects);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(Array.from(value, ([name, member]) => [String(name), withObjects(member)]));
}

interface Entry {
  readonly actions?: readonly string[];
  readonly resource?: { readonly attr?: unknown };
}

/**
 * The verdicts for a request that the guest has decoded already, so that its shape is known.
 * @param sets one number per resource: index of its schema set + 1, or 0
 * @param rejects whether an error denies (enforcement `reject`)
 */
export function verdictsFor(
  validator: SchemaValidator,
  bytes: Uint8Array,
  formats: { readonly input: number; readonly output: number },
  sets: Uint32Array,
  rejects: boolean,
): Uint8Array {
  const request = readBody(bytes, formats.input === FORMAT_JSON) as {
    principal?: { attr?: unknown };
    resources?: readonly Entry[];
  };
  // Whatever the guest and this reading disagree on is not validated as if it were absent.
  if (!Array.isArray(request.resources) || request.resources.length !== sets.length) {
    throw new TypeError("the resources of a decoded request cannot be read");
  }
  const principal = request.principal?.attr ?? {};
  // One for the whole request: many resources must not multiply what one may cost.
  const budget = new Budget(stepsFor(sets.length));
  return verdictBlock(sets, formats.output, rejects, (set, index) => {
    const entry = request.resources?.[index];
    return validator.validate(set, entry?.actions ?? [], principal, entry?.resource?.attr ?? {}, budget);
  });
}

/** The value of a body that the guest has decoded already. */
export function readBody(bytes: Uint8Array, isJson: boolean): unknown {
  return isJson ? JSON.parse(new TextDecoder().decode(bytes)) : withObjects(unpackr.unpack(bytes));
}

/** The records for `sets`; `validate` is asked for the errors of those that are not 0, by index of the schema set. */
export function verdictBlock(
  sets: Uint32Array,
  format: number,
  rejects: boolean,
  validate: (set: number, index: number) => readonly object[],
): Uint8Array {
  const records: Uint8Array[] = [];
  let room = MAX_VERDICTS_SIZE;
  for (const [index, set] of sets.entries()) {
    const found = set === 0 ? [] : validate(set - 1, index);
    const text = encode(found, format);
    const fits = HEADER + text.byteLength + 4 <= room - (sets.length - index) * HEADER;
    const record = recordOf(found.length > 0 && rejects, fits ? text : new Uint8Array(0));
    room -= record.byteLength;
    records.push(record);
  }
  return Buffer.concat(records);
}

function encode(errors: readonly object[], format: number): Uint8Array {
  if (errors.length === 0) return new Uint8Array(0);
  return format === FORMAT_JSON ? new TextEncoder().encode(JSON.stringify(errors)) : pack(errors);
}

function recordOf(rejected: boolean, text: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER + ((text.byteLength + 3) & ~3));
  const words = new DataView(record.buffer);
  words.setUint32(0, rejected ? 1 : 0, true);
  words.setUint32(4, text.byteLength, true);
  record.set(text, HEADER);
  return record;
}
