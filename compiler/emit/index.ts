/**
 * Stage 5: the decision program to code and data.
 *
 * Input: a Program.
 * Output: AssemblyScript text of the policy module, the image blob, and the sizes the runtime needs.
 * Fails with: nothing; every program of stage 4 can be emitted.
 */
import { IMAGE_BASE } from "../../assembly/abi.ts";
import type { Program } from "../ir/program.ts";
import { Blob } from "./blob.ts";
import { HEADER_WORDS, longestChain, writeImage } from "./image.ts";
import { writePolicyModule, type PolicyModule } from "./policy-module.ts";
import { Tables } from "./tables.ts";
import { analyse } from "./usage.ts";

export interface Emitted {
  readonly module: PolicyModule;
  /** Loaded at IMAGE_BASE. */
  readonly image: Uint8Array;
  /** Bytes of memory from address 0 to the end of the caches that core places behind the image. */
  readonly fixedMemory: number;
  readonly functions: { readonly conditions: number; readonly outputs: number };
  /** Image index of a derived role -> its index in the program. */
  readonly derivedRoles: readonly number[];
}

/** Bytes of cache per attribute, condition, shared expression, role set, derived role and scope in the guest. */
const CACHE_BYTES = {
  attribute: 16,
  condition: 4,
  shared: 16,
  roleSet: 16,
  derivedRole: 4,
  scope: 8,
} as const;
/** Slack for the alignment of the caches. */
const CACHE_SLACK = 4096;

/** Emits a program. Deterministic: the same program gives the same bytes. */
export function emit(program: Program): Emitted {
  const usage = analyse(program);
  const blob = new Blob();
  const header = blob.reserve(HEADER_WORDS * 4);
  const module = writePolicyModule(program, usage, blob);
  const tables = new Tables(blob, program, usage.outputs);
  const functions = {
    conditions: program.conditions.length,
    outputs: usage.outputs.length,
    shared: usage.sharedCount,
    memoizable: usage.memoizable,
  };
  writeImage(blob, header, program, tables, functions);
  const image = blob.finish();
  const caches =
    program.attributes.length * CACHE_BYTES.attribute +
    program.conditions.length * CACHE_BYTES.condition +
    usage.sharedCount * CACHE_BYTES.shared +
    tables.roleSets().count * CACHE_BYTES.roleSet +
    tables.derivedRoles().count * CACHE_BYTES.derivedRole +
    longestChain(program) * CACHE_BYTES.scope;
  return {
    module,
    image,
    fixedMemory: IMAGE_BASE + image.length + caches + CACHE_SLACK,
    functions: { conditions: functions.conditions, outputs: functions.outputs },
    derivedRoles: tables.derivedRoleOrder,
  };
}
