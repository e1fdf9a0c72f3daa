/**
 * Compares two CheckResources responses: effects, attribution, the echo and validation errors exactly, derived
 * roles as a set, outputs as a multiset. `cerbosCallId` is ignored. The diff names the path of each difference.
 */

export interface CompareOptions {
  /** Compare error texts of outputs; otherwise only that there is an error. */
  readonly errorTexts?: boolean;
  /** Leave outputs out. */
  readonly ignoreOutputs?: boolean;
}

/** One line per difference, empty when the responses agree. */
export function differences(
  actual: unknown,
  expected: unknown,
  options: CompareOptions = {},
): readonly string[] {
  const found: string[] = [];
  diff(normalise(actual, options), normalise(expected, options), "$", found);
  return found;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The response with everything whose order is free put into a fixed order. */
export function normalise(response: unknown, options: CompareOptions = {}): Json {
  const plain: Json = JSON.parse(JSON.stringify(response ?? null));
  if (!isObject(plain)) return plain;
  const { cerbosCallId: _, results, ...rest } = plain;
  return {
    ...rest,
    ...(Array.isArray(results)
      ? { results: results.map((result: Json) => normaliseResult(result, options)) }
      : {}),
  };
}

function normaliseResult(result: Json, options: CompareOptions): Json {
  if (!isObject(result)) return result;
  const { meta, outputs, validationErrors, ...rest } = result;
  const normalised: Record<string, Json> = { ...rest };
  if (isObject(meta)) {
    const { effectiveDerivedRoles, ...others } = meta;
    normalised["meta"] = isEmpty(effectiveDerivedRoles)
      ? others
      : { ...others, effectiveDerivedRoles: sorted(effectiveDerivedRoles ?? []) };
  }
  if (!isEmpty(outputs) && options.ignoreOutputs !== true) {
    normalised["outputs"] = sorted(withoutErrorTexts(outputs ?? [], options));
  }
  if (!isEmpty(validationErrors)) normalised["validationErrors"] = sorted(validationErrors ?? []);
  return normalised;
}

/** An empty list and no list are the same message. */
function isEmpty(items: Json | undefined): boolean {
  return items === undefined || (isArray(items) && items.length === 0);
}

function withoutErrorTexts(outputs: Json, options: CompareOptions): Json {
  if (options.errorTexts === true || !isArray(outputs)) return outputs;
  return outputs.map((entry) => (isObject(entry) && "error" in entry ? { ...entry, error: "any" } : entry));
}

function sorted(items: Json): Json {
  if (!isArray(items)) return items;
  const keyed = items.map((item) => ({ item, key: canonical(item) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ item }) => item);
}

function canonical(value: Json): string {
  if (isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join()}}`;
}

function diff(actual: Json | undefined, expected: Json | undefined, path: string, found: string[]): void {
  if (isArray(actual) && isArray(expected)) {
    const count = Math.max(actual.length, expected.length);
    for (let index = 0; index < count; index += 1)
      diff(actual[index], expected[index], `${path}[${index}]`, found);
  } else if (isObject(actual) && isObject(expected)) {
    for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
      diff(actual[key], expected[key], `${path}.${key}`, found);
    }
  } else if (actual !== expected && !(actual === 0 && expected === 0)) {
    found.push(`${path}: got ${JSON.stringify(actual)}, want ${JSON.stringify(expected)}`);
  }
}

function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
