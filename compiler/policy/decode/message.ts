/**
 * Messages: maps with known fields, each accepted in camelCase and in snake_case. Unknown fields, fields given twice,
 * missing ones and members of a choice that exclude each other are reported here, for every kind of message alike.
 */
import type { MapEntry } from "../../load/node.ts";
import { childSpot, mapEntries, quoteAll, type Decoder } from "./field.ts";
import type { Reader, Spot } from "./spot.ts";

export interface Field<T> {
  readonly decode: Decoder<T>;
  /** Must be given, and not as an empty text or list. */
  readonly required?: boolean;
  /** Fields with the same name here exclude each other. */
  readonly choice?: string;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** A decoded message: every field, `undefined` where not given or not usable, and where the message stands. */
export type Message<F extends Fields> = {
  readonly [K in keyof F]: (F[K] extends Field<infer T> ? T : never) | undefined;
} & { readonly spot: Spot };

export interface MessageOptions {
  /** Choices of which one member must be given. */
  readonly requiredChoices?: readonly string[];
  /** Fields that are accepted and ignored. */
  readonly ignored?: readonly string[];
}

export function message<const F extends Fields>(
  fields: F,
  options: MessageOptions = {},
): Decoder<Message<F>> {
  const names = Object.keys(fields);
  const byKey = new Map<string, string>();
  for (const name of names) {
    byKey.set(name, name);
    byKey.set(snakeCase(name), name);
  }
  const ignored = new Set(options.ignored);
  return (spot, reader) => {
    const entries = mapEntries(spot, reader);
    if (entries === undefined) {
      return undefined;
    }
    const decoded: Record<string, unknown> = { spot };
    const given = new Map<string, Spot>();
    let unknown = 0;
    for (const name of names) {
      decoded[name] = undefined;
    }
    for (const entry of entries) {
      const name = byKey.get(entry.key);
      const field = name === undefined ? undefined : fields[name];
      const at = childSpot(spot, entry);
      if (name === undefined || field === undefined) {
        if (!ignored.has(entry.key)) {
          unknown++;
          reader.atKey("EDICT2001", { field: entry.key, advice: suggest(entry, names) }, at);
        }
        continue;
      }
      if (isExcluded(name, at, field, fields, given, reader)) {
        continue;
      }
      given.set(name, at);
      decoded[name] = field.decode(at, reader);
    }
    // A misspelt field is reported as unknown; that another one is then missing is only its consequence.
    if (unknown === 0) {
      reportMissing(spot, fields, options, given, decoded, reader);
    }
    // The fields were decoded by the decoders whose types make up `Message<F>`.
    return decoded as Message<F>;
  };
}

/** Reports a field given in both spellings, and a second member of a choice. */
function isExcluded(
  name: string,
  at: Spot,
  field: Field<unknown>,
  fields: Fields,
  given: ReadonlyMap<string, Spot>,
  reader: Reader,
): boolean {
  const twice = given.get(name);
  if (twice !== undefined) {
    reader.atKey("EDICT2003", { field: String(at.segment), other: String(twice.segment) }, at);
    return true;
  }
  if (field.choice === undefined) {
    return false;
  }
  for (const [other, spot] of given) {
    if (fields[other]?.choice === field.choice) {
      reader.atKey("EDICT2004", { field: String(at.segment), other: String(spot.segment) }, at);
      return true;
    }
  }
  return false;
}

function reportMissing(
  spot: Spot,
  fields: Fields,
  options: MessageOptions,
  given: ReadonlyMap<string, Spot>,
  decoded: Readonly<Record<string, unknown>>,
  reader: Reader,
): void {
  for (const [name, field] of Object.entries(fields)) {
    if (field.required !== true) {
      continue;
    }
    const at = given.get(name);
    if (at === undefined) {
      reader.atKey("EDICT2011", { field: name }, spot);
    } else if (isEmpty(decoded[name], at)) {
      reader.atKey(at.node.kind === "list" ? "EDICT2013" : "EDICT2011", { field: name }, at);
    }
  }
  for (const choice of options.requiredChoices ?? []) {
    const members = Object.keys(fields).filter((name) => fields[name]?.choice === choice);
    if (!members.some((name) => given.has(name))) {
      reportMissingChoice(spot, quoteAll(members), reader);
    }
  }
}

/** Whether a required value is there but says nothing. A value of the wrong type has been reported already. */
function isEmpty(value: unknown, at: Spot): boolean {
  if (Array.isArray(value)) {
    return at.node.kind === "list" && at.node.items.length === 0;
  }
  // An enumeration's first name means "not given".
  const text = typeof value === "object" && value !== null && "value" in value ? value.value : value;
  return text === "" || (typeof text === "string" && text.endsWith("_UNSPECIFIED") && text === value);
}

function reportMissingChoice(spot: Spot, fields: string, reader: Reader): void {
  if (spot.parent === undefined) {
    reader.atKey("EDICT2016", { fields }, spot);
  } else {
    reader.atKey(
      "EDICT2017",
      { field: typeof spot.segment === "string" ? spot.segment : "entry", fields },
      spot,
    );
  }
}

/** `actionName` as `action_name`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The field that was probably meant, else all there are. */
function suggest(entry: MapEntry, names: readonly string[]): string {
  const plain = entry.key.toLowerCase().replace(/[_-]/g, "");
  const meant = names.find((name) => editDistance(plain, name.toLowerCase()) <= 2);
  return meant === undefined ? `the fields here are ${quoteAll(names)}` : `did you mean \`${meant}\`?`;
}

/** Levenshtein distance; texts far apart in length count as far apart at once. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) {
    return 3;
  }
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
