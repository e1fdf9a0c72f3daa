/** Which edict this is: the package's version and, in a built checkout, commit and date of the build. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Version {
  readonly version: string;
  /** Git commit of the build; `unknown` when it was not recorded. */
  readonly commit: string;
  /** RFC 3339; `unknown` when it was not recorded. */
  readonly buildDate: string;
}

/** Levels from this file up to the package's root: one in the sources, two in `dist/`. */
const SEARCH_DEPTH = 3;

/** The package's root directory. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < SEARCH_DEPTH; level++) {
    if (readJson(join(directory, "package.json"))["name"] === "edict") break;
    directory = dirname(directory);
  }
  return directory;
}

/** Reads `package.json` and `dist/build-info.json` (`{commit, buildDate}`, written by the build). */
export function readVersion(): Version {
  const root = packageRoot();
  const build = readJson(join(root, "dist", "build-info.json"));
  return {
    version: text(readJson(join(root, "package.json"))["version"]),
    commit: text(build["commit"]),
    buildDate: text(build["buildDate"]),
  };
}

function readJson(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "unknown";
}
