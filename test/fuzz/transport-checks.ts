/** What the HTTP and the stream run ask of answers alike. */
import type { Limits } from "./oracle.ts";
import type { RawResponse } from "./raw-connection.ts";
import type { World } from "./worlds.ts";

const MOST_INSTANTS = 60;

export function limitsOf({ options }: World): Limits {
  return {
    maxActions: options.maxActionsPerResource ?? 50,
    maxResources: options.maxResourcesPerRequest ?? 50,
  };
}

/** `{code, message, details}` with words in it. */
export function isErrorObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("message" in value) || !("code" in value))
    return false;
  return typeof value.message === "string" && value.message !== "" && typeof value.code === "number";
}

export function isProperError({ headers, body }: RawResponse): boolean {
  if (headers.get("content-type") !== "application/json") return false;
  try {
    return isErrorObject(JSON.parse(body.toString("utf8")));
  } catch {
    return false;
  }
}

/** Every millisecond at which a request may have been decided. */
export function sentBetween(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.min(to - from + 1, MOST_INSTANTS) }, (_, index) => to - index);
}
