/** Field paths of a request, written as in `resources[2].resource.attr.x`; shared by both locators. */

/** One step into a container: the key of an object, the index of a list, or nothing read yet. */
export type Step = string | number | null;

/** Where in a request something went wrong. */
export interface Location {
  /** Byte offset of the token at fault. */
  readonly offset: number;
  /** Path of the field, bounded in length; empty for the request itself. */
  readonly path: string;
  /** The innermost key, when the place is inside an object. */
  readonly key: string;
  /** The token as text, at most `MAX_EXCERPT` bytes of it; empty at the end of input. */
  readonly token: string;
  /** Whether the place is inside free-form attributes, where keys are data. */
  readonly freeForm: boolean;
}

/** Bytes of user text quoted in a message. */
export const MAX_EXCERPT = 64;

/** Steps kept of a path; deeper ones are counted but not named. */
export const MAX_STEPS = 72;

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;

/** Joins steps to a path. */
export function joinPath(steps: readonly Step[]): string {
  let path = "";
  for (const step of steps) {
    if (step === null) break;
    if (typeof step === "number") path += `[${step}]`;
    else if (PLAIN_KEY.test(step)) path += path === "" ? step : `.${step}`;
    else path += `[${JSON.stringify(step)}]`;
  }
  return path;
}

/** Whether the steps lead into `principal.attr`, `resources[n].resource.attr` or the like. */
export function isFreeForm(steps: readonly Step[]): boolean {
  return steps.slice(0, -1).some((step) => step === "attr" || step === "jwts" || step === "annotations");
}

/** Text of bytes that may be cut anywhere or not be UTF-8 at all. */
export function excerpt(bytes: Uint8Array, start: number, end: number): string {
  const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + MAX_EXCERPT)));
  return end - start > MAX_EXCERPT ? `${text}…` : text;
}
