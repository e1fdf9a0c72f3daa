#!/usr/bin/env node
/** The `edict` command: runs what `npm run build` put into dist/. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const entry = new URL("../dist/runtime/cli/main.js", import.meta.url);

if (!existsSync(fileURLToPath(entry))) {
  process.stderr.write("edict: this checkout is not built yet; run `npm run build` first\n");
  process.exit(4);
}

const { runCommandLine, processIo } = await import(entry.href);
const code = await runCommandLine(process.argv.slice(2), processIo);
// Output may still be on its way to a pipe; exit only when it has been taken.
process.exitCode = code;
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
