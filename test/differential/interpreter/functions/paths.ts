/**
 * Cerbos's path functions, but for the globs of path-match.ts. A path is resolved into names and written back in the style
 * of the path it came from.
 */
import { bool, error, noSuchOverload, string, type Value } from "../values.ts";
import type { Family } from "./family.ts";
import { pathMatch, pathMatchAnyOf } from "./path-match.ts";
import { DRIVE, refused, type Resolved, resolve, resolveSlashed, slashed } from "./path-names.ts";

/** Writes a slashed path as `model` is written. */
function inStyleOf(model: string, path: string): string {
  const backslashed = path.replaceAll("/", "\\");
  if (DRIVE.test(model)) return backslashed.replace(/^\\/u, "");
  if (model.startsWith("\\\\")) return `\\${backslashed}`;
  return model.includes("\\") ? backslashed : path;
}

/** Applies a function to a resolved path. */
function ofResolved(value: Value, apply: (path: Resolved, text: string) => Value): Value {
  if (value.kind !== "string") return noSuchOverload();
  const resolved = resolve(value.value);
  return resolved === undefined ? refused(value.value) : apply(resolved, value.value);
}

function base({ rooted, names }: Resolved): string {
  return names.at(-1) ?? (rooted ? "/" : ".");
}

function directory(resolved: Resolved, path: string): Value {
  const { rooted, names } = resolved;
  const parent = { rooted, names: names.slice(0, -1) };
  if (!path.includes("\\") && !DRIVE.test(path)) return string(slashed(parent));
  if (/^[A-Za-z]:\\?$/u.test(path)) return string(`${path.slice(0, 2)}\\`);
  // A UNC volume is its own directory; whether both of its names are there is not looked at.
  if (/^\\\\[^\\]*\\[^\\]*$/u.test(path)) return string(inStyleOf(path, slashed(resolved)));
  // Cerbos cuts the name and one slash off, the slash of the root too, and breaks where there is none.
  const text = slashed(resolved);
  if (!text.includes("/")) return error("internal error: slice bounds out of range");
  return string(inStyleOf(path, text.slice(0, text.lastIndexOf("/"))));
}

function join(items: readonly Value[]): Value {
  const texts = items.map((item) => (item.kind === "string" ? item.value : undefined));
  if (!texts.every((text) => text !== undefined)) return error("unsupported type conversion to string");
  const [first = ""] = texts;
  if (texts.length < 2) return string(first);
  const resolved = texts.map(resolve);
  if (!resolved.every((path) => path !== undefined)) return refused(texts[resolved.indexOf(undefined)] ?? "");
  return string(inStyleOf(first, slashed(resolveSlashed(resolved.map(slashed).join("/")))));
}

/** The slashed way from one path to another; undefined where there is none. */
function way(from: Resolved, to: Resolved): string | undefined {
  if (from.rooted !== to.rooted) return undefined;
  let common = 0;
  while (common < from.names.length && from.names[common] === to.names[common]) common++;
  const left = from.names.slice(common);
  if (left[0] === "..") return undefined;
  return slashed({ rooted: false, names: [...left.map(() => ".."), ...to.names.slice(common)] });
}

function wayBetween(from: string, to: string, use: (way: string) => Value): Value {
  const [start, end] = [resolve(from), resolve(to)];
  if (start === undefined || end === undefined) return refused(start === undefined ? from : to);
  const found = way(start, end);
  return found === undefined ? error(`Rel: can't make ${to} relative to ${from}`) : use(found);
}

export const PATHS: Family<
  | "basePath"
  | "dirPath"
  | "extPath"
  | "joinPath"
  | "pathHasPrefix"
  | "pathMatch"
  | "pathMatchAnyOf"
  | "relPath"
  | "volumeName"
> = {
  basePath: (path) => ofResolved(path, (resolved) => string(base(resolved))),
  dirPath: (path) => ofResolved(path, directory),
  extPath: (path) =>
    ofResolved(path, (resolved) => {
      const name = base(resolved);
      return string(name.slice(name.includes(".") ? name.lastIndexOf(".") : name.length));
    }),
  joinPath: (items) => (items.kind === "list" ? join(items.items) : noSuchOverload()),
  pathHasPrefix: (path, prefix) => {
    if (path.kind !== "string" || prefix.kind !== "string") return noSuchOverload();
    if (path.value === prefix.value) return bool(true);
    return wayBetween(prefix.value, path.value, (found) => bool(!found.startsWith(".")));
  },
  pathMatch,
  pathMatchAnyOf,
  relPath: (from, to) => {
    if (from.kind !== "string" || to.kind !== "string") return noSuchOverload();
    const backslashes = to.value.includes("\\") || DRIVE.test(to.value);
    return wayBetween(from.value, to.value, (found) =>
      string(backslashes ? found.replaceAll("/", "\\") : found),
    );
  },
  volumeName: (path) => {
    if (path.kind !== "string") return noSuchOverload();
    return string(/^(?:[A-Za-z]:|\\\\[^\\]+\\[^\\]+)/u.exec(path.value)?.[0] ?? "");
  },
};
