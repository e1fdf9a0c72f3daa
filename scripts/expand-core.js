/**
 * `node scripts/expand-core.js <file.wasm> [--names]`: expands more calls than `asc` does, and optimises what comes of it. asc's limits are made
 * for small modules; what V8 saves by not calling is worth more to a guest that answers in microseconds. V8 itself does not expand
 * calls of WebAssembly in the Node that this runs on. Load-test set, bench/micro/cores.ts: single requests take 5 to 7% less time, batches
 * 5 to 12%, by the state of the machine, for 5% more code. Expanding much that has one caller only pays with seldom-functions.json. The file has to name its
 * functions (`asc --debug`); `--names` keeps the names.
 */
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Sizes of functions in binaryen's measure: expanded wherever called, expanded while optimising for speed, and when called once. */
const ALWAYS = 30;
const FLEXIBLE = 130;
const ONE_CALLER = 4000;

/** Functions that stay calls (`file/name`): what is seldom needed takes registers from what is always needed when it is expanded there. */
const SELDOM = JSON.parse(readFileSync(new URL("seldom-functions.json", import.meta.url), "utf8"));

const [file = "", names] = process.argv.slice(2);
const module = binaryen.readBinary(new Uint8Array(readFileSync(file)));
const { BulkMemory, BulkMemoryOpt, MutableGlobals, NontrappingFPToInt, SIMD128, SignExt } = binaryen.Features;
module.setFeatures(BulkMemory | BulkMemoryOpt | MutableGlobals | NontrappingFPToInt | SIMD128 | SignExt);
binaryen.setDebugInfo(names === "--names");
binaryen.setOptimizeLevel(3);
binaryen.setShrinkLevel(0);
// asconfig.json starts all data at 4096, as binaryen wants it for this.
binaryen.setLowMemoryUnused(true);
binaryen.setAlwaysInlineMaxSize(ALWAYS);
binaryen.setFlexibleInlineMaxSize(FLEXIBLE);
binaryen.setOneCallerInlineMaxSize(ONE_CALLER);
const functions = Array.from({ length: module.getNumFunctions() }, (_, index) =>
  binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
);
for (const name of SELDOM) {
  if (!functions.some((one) => one.name === `assembly/${name}`)) {
    throw new Error(
      `seldom-functions.json names ${name}, which ${file} does not have: was it built with --debug?`,
    );
  }
  binaryen.setPassArgument("no-inline", `assembly/${name}`);
  module.runPasses(["no-inline"]);
}
module.optimize();
if (module.validate() === 0) throw new Error(`${file}: what came of it is not a valid module`);
writeFileSync(file, module.emitBinary());
