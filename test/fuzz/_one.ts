/** tmp */
import { readFileSync } from "node:fs";
import { readCases, sourcesOf } from "../support/cases.ts";
import { bundleOf, loadEngine } from "../support/engines.ts";
const c = readCases().find((x) => x.name === "output-values")!;
const bundle = await bundleOf(sourcesOf(c.data));
const e = await loadEngine(bundle, { onError: "compatible", ...c.data.engine });
const body = readFileSync("/tmp/fuzz-findings/102/malformed-msgpack-answer-1.body");
console.log(e.checkBytes(body, "msgpack", "json").status);
console.log(Buffer.from(e.output()).toString());
console.log(e.checkBytes(body, "msgpack", "msgpack").status);
const { parseMsgpack } = await import("../assembly/decode/reference.ts");
const { unpack } = await import("msgpackr");
const out = Buffer.from(e.output());
console.log(parseMsgpack(out) === undefined);
console.log(JSON.stringify(unpack(out)).slice(0, 6000));
