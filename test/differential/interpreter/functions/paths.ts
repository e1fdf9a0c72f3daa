/** Cerbos's path functions that take a path apart: `basePath`, `extPath`, `volumeName`. */
import { error, noSuchOverload, string, type Value } from "../values.ts";
import type { Family } from "./family.ts";

/** The components left after resolving `.` and `..`, and whether the path is rooted; undefined: refused. */
function resolved(path: string): { rooted: boolean; names: string[] } | undefined {
  const drive = /^[A-Za-z]:/u.test(path);
  if (drive && !/^..(?:\\|$)/su.test(path)) return undefined;
  const slashed = path.replaceAll("\\", "/");
  const rooted = drive || slashed.startsWith("/");
  const names: string[] = [];
  for (const name of slashed.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (!rooted) names.push(name);
  }
  return { rooted, names };
}

function base(path: string): string | undefined {
  const parts = resolved(path);
  return parts === undefined ? undefined : (parts.names.at(-1) ?? (parts.rooted ? "/" : "."));
}

/** Applies a function of a path; undefined is the error of a refused path. */
function ofPath(value: Value, apply: (path: string) => string | undefined): Value {
  if (value.kind !== "string") return noSuchOverload();
  const result = apply(value.value);
  if (result !== undefined) return string(result);
  return error(`failed to encode path ${value.value}: unsupported Win32 path`);
}

export const PATHS: Family<"basePath" | "extPath" | "volumeName"> = {
  basePath: (path) => ofPath(path, base),
  extPath: (path) =>
    ofPath(path, (text) => {
      const name = base(text);
      return name?.slice(name.includes(".") ? name.lastIndexOf(".") : name.length);
    }),
  volumeName: (path) => ofPath(path, (text) => /^(?:[A-Za-z]:|\\\\[^\\]+\\[^\\]+)/u.exec(text)?.[0] ?? ""),
};
