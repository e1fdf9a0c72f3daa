/**
 * The policy module's functions to WASM. asc sees shapes only (emit/unit.ts), each of them once, and only those that the cache does
 * not have; the module is linked from what it made of them. The result does not depend on what the cache holds.
 */
import { createHash } from "node:crypto";
import { invariant } from "../diagnostics/invariant.ts";
import { CONSTANTS, declarations, type PolicyModule } from "../emit/policy-module.ts";
import { REFERENCE_KINDS, type ReferenceKind, type Unit } from "../emit/unit.ts";
import { AssemblyScript, assemblyScriptVersion } from "./asc.ts";
import { cutObject, type FunctionObject } from "./function-object.ts";
import { link } from "./link.ts";
import { ObjectCache } from "./object-cache.ts";
import { readModule } from "./wasm-reader.ts";

/** To be raised when the linker or what a shape may say changes, so that kept objects are not used. */
const OBJECT_VERSION = 1;

/** Shapes that asc gets at a time: enough to share the cost of a run, few enough to bound its memory. */
const SHAPES_PER_RUN = 500;

/** Type of each kind of reference in a declaration. */
const REFERENCE_TYPES: Readonly<Record<Exclude<ReferenceKind, "E">, string>> = {
  L: "u64",
  S: "i32",
  M: "i32",
  D: "i32",
};

/** Compiles and links a policy module. Generated code that asc refuses is a bug of stage 5. */
export async function assemble(
  module: PolicyModule,
  cache = new ObjectCache(),
  compiler = new AssemblyScript(),
): Promise<Uint8Array> {
  const objects = new Map<string, FunctionObject>();
  const missing = new Map<string, Unit>();
  const version = module.units.length === 0 ? "" : assemblyScriptVersion();
  const keys = module.units.map((unit) => keyOf(unit, version));
  for (const [index, unit] of module.units.entries()) {
    const key = keys[index] ?? "";
    if (objects.has(key) || missing.has(key)) continue;
    const known = await cache.get(key);
    if (known === undefined) missing.set(key, unit);
    else objects.set(key, known);
  }
  const open = [...missing];
  for (let start = 0; start < open.length; start += SHAPES_PER_RUN) {
    const batch = open.slice(start, start + SHAPES_PER_RUN);
    const made = await compileShapes(
      batch.map(([, unit]) => unit),
      compiler,
    );
    for (const [index, [key]] of batch.entries()) {
      const object = made[index];
      invariant(object !== undefined, "every shape of a run has an object");
      objects.set(key, object);
      await cache.put(key, object);
    }
  }
  cache.finish();
  return link(
    module.units.map((unit, index) => {
      const object = objects.get(keys[index] ?? "");
      invariant(object !== undefined, "every unit has an object");
      return { unit, object };
    }),
  );
}

/** Compiles units with different shapes in one run of asc. */
async function compileShapes(
  units: readonly Unit[],
  compiler: AssemblyScript,
): Promise<readonly FunctionObject[]> {
  const functions = new Set<string>();
  const counts: Record<ReferenceKind, number> = { L: 0, S: 0, M: 0, D: 0, E: 0 };
  for (const unit of units) {
    for (const name of unit.uses) functions.add(name);
    for (const kind of REFERENCE_KINDS) counts[kind] = Math.max(counts[kind], unit.references[kind].length);
  }
  const names = [...functions].sort();
  const references = REFERENCE_KINDS.flatMap((kind) =>
    Array.from({ length: counts[kind] }, (_, index) => ({ kind, name: `${kind}${index}` })),
  );
  const core =
    declarations(names) +
    references
      .map(({ kind, name }) =>
        kind === "E"
          ? `export declare function ${name}(): u64;\n`
          : `export declare const ${name}: ${REFERENCE_TYPES[kind]};\n`,
      )
      .join("");
  const imported = [...names, ...references.map(({ name }) => name)];
  const head = imported.length === 0 ? "" : `import { ${imported.join(", ")} } from "./core";\n`;
  const bodies = units.map(
    (unit, index) => `export function f${index}(): ${unit.result} {\n${unit.shape}\n}\n`,
  );
  const wasm = await compiler.compile({ core, policy: `${head}${CONSTANTS}${bodies.join("\n")}` });
  const parts = readModule(wasm);
  return units.map((_, index) => cutObject(parts, `f${index}`));
}

/** What an object depends on. */
function keyOf(unit: Unit, version: string): string {
  return createHash("sha256")
    .update(
      `${OBJECT_VERSION} ${version} ${CONSTANTS} ${declarations(unit.uses)} ${unit.result}\n${unit.shape}`,
    )
    .digest("hex");
}
