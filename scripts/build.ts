/**
 * Builds what runs: the guest core (debug and release) with asc, then compiler and runtime with tsc. Skips a step whose
 * inputs have not changed, so that `npm start` after `npm test` is quick.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamps = join(root, "dist", ".stamps");
mkdirSync(stamps, { recursive: true });

const force = process.argv.includes("--force");

step(
  "guest",
  [
    "assembly",
    "asconfig.json",
    "scripts/inline-hot-functions.js",
    "scripts/hot-functions.json",
    "scripts/expand-core.js",
    "scripts/seldom-functions.json",
  ],
  ["dist/wasm/core.wasm", "dist/wasm/core.debug.wasm"],
  [
    // Not in asconfig.json, where asc would look for it among the packages.
    [
      "node_modules/assemblyscript/bin/asc.js",
      "--target",
      "release",
      "--transform",
      "./scripts/inline-hot-functions.js",
      // expand-core.js goes by names, and drops them.
      "--debug",
    ],
    ["scripts/expand-core.js", "dist/wasm/core.wasm"],
    ["node_modules/assemblyscript/bin/asc.js", "--target", "debug"],
  ],
);
step(
  "typescript",
  ["compiler", "runtime", "assembly/abi.ts", "tsconfig.json", "tsconfig.build.json"],
  ["dist/runtime"],
  [["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]],
);

writeFileSync(join(root, "dist", "build-info.json"), `${JSON.stringify(buildInfo())}\n`);

/** What `/api/server_info` shows: the commit and its date, so that two builds of one commit agree. */
function buildInfo(): { commit: string; buildDate: string } {
  const show = spawnSync("git", ["show", "-s", "--format=%H %cI", "HEAD"], { cwd: root, encoding: "utf8" });
  const [commit = "unknown", buildDate = "unknown"] = show.status === 0 ? show.stdout.trim().split(" ") : [];
  return { commit, buildDate };
}

/** Runs the commands of one step unless the digest of its inputs is the one last built. */
function step(
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  commands: readonly string[][],
): void {
  const digest = digestOf([...inputs, "package.json"]);
  const stamp = join(stamps, name);
  const fresh = outputs.every((output) => existsSync(join(root, output)));
  if (!force && fresh && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  process.stderr.write(`building ${name}\n`);
  for (const [script = "", ...args] of commands) {
    const result = spawnSync(process.execPath, [join(root, script), ...args], {
      cwd: root,
      stdio: "inherit",
    });
    if (result.status !== 0) {
      process.stderr.write(`building ${name} failed: ${script} ${args.join(" ")}\n`);
      process.exit(1);
    }
  }
  writeFileSync(stamp, digest);
}

function digestOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths.flatMap((entry) => filesUnder(join(root, entry)))) {
    hash.update(relative(root, path)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

function filesUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!/\.[^/]+$/u.test(path) || path.endsWith(".d")) {
    return readdirSync(path, { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) =>
        entry.isDirectory() ? filesUnder(join(path, entry.name)) : [join(path, entry.name)],
      );
  }
  return [path];
}
