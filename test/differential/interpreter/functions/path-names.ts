/** Paths as lists of names, for Cerbos's path functions (paths.ts, path-match.ts). */
import { error, type Value } from "../values.ts";

/** A path without `.`, doubled separators and `..`, but for the `..` that lead out of a path that is not rooted. */
export interface Resolved {
  readonly rooted: boolean;
  readonly names: readonly string[];
}

/** A letter and a colon in front. */
export const DRIVE = /^[A-Za-z]:/u;

/** A drive is a name of a rooted path. Undefined: a drive with something but no backslash behind it, which is an error. */
export function resolve(path: string): Resolved | undefined {
  const drive = DRIVE.test(path);
  if (drive && path.length > 2 && !path.includes("\\")) return undefined;
  return resolveSlashed(`${drive ? "/" : ""}${path}`);
}

/** A path of both kinds of slash in which a drive is a name like any other. */
export function resolveSlashed(path: string): Resolved {
  const text = path.replaceAll("\\", "/");
  const rooted = text.startsWith("/");
  const names: string[] = [];
  for (const name of text.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (!rooted) names.push(name);
  }
  return { rooted, names };
}

/** `/a/b`, `a/b`, `/` or `.`. */
export function slashed({ rooted, names }: Resolved): string {
  return (rooted ? "/" : "") + names.join("/") || ".";
}

/** The error of a path that `resolve` does not take. */
export function refused(path: string): Value {
  return error(`failed to encode path ${path}: unsupported Win32 path`);
}
