/**
 * The compiled form of a shape (emit/unit.ts): a function body with holes. Each hole was an instruction that names a core function, a
 * shared function or one of the shape's references, and is filled in when a module is linked. An object depends on its shape and on
 * asc alone, so it may be kept for as long as one likes.
 */
import { REFERENCE_KINDS, type ReferenceKind } from "../emit/unit.ts";
import { invariant } from "../diagnostics/invariant.ts";
import { findMentions, OP_CALL, type WasmParts } from "./wasm-reader.ts";

/** What a hole stands for: a call of a core function by name, or a reference by kind and number. */
export type Target =
  | { readonly call: string; readonly type: string }
  | { readonly kind: ReferenceKind; readonly index: number };

export interface Hole {
  /** Where in `code` the instruction belongs. */
  readonly at: number;
  readonly target: Target;
}

export interface FunctionObject {
  /** Locals and instructions, without the holes' own bytes. */
  readonly code: Uint8Array;
  /** In the order of `at`. */
  readonly holes: readonly Hole[];
}

/** Cuts the function `name` out of a module. */
export function cutObject(module: WasmParts, name: string): FunctionObject {
  const body = module.bodies.get(name);
  invariant(body !== undefined, "asc exports every function that it is given");
  const code = new Uint8Array(body.length);
  const holes: Hole[] = [];
  let length = 0;
  let from = 0;
  for (const { opcode, index, start, end } of findMentions(body)) {
    code.set(body.subarray(from, start), length);
    length += start - from;
    from = end;
    if (opcode === OP_CALL) {
      const called = module.functionImports[index];
      invariant(called !== undefined, "generated functions call imported ones only");
      holes.push({
        at: length,
        target: referenceOf(called.name) ?? { call: called.name, type: called.type },
      });
    } else {
      const target = referenceOf(module.globalImports[index] ?? "");
      invariant(target !== undefined, "generated functions read imported globals only");
      holes.push({ at: length, target });
    }
  }
  code.set(body.subarray(from), length);
  return { code: code.slice(0, length + body.length - from), holes };
}

function referenceOf(name: string): (Target & { readonly kind: ReferenceKind }) | undefined {
  const [, letter, digits] = /^([A-Z])(\d+)$/.exec(name) ?? [];
  const kind = REFERENCE_KINDS.find((known) => known === letter);
  return kind === undefined ? undefined : { kind, index: Number(digits) };
}

/** Text form, for the cache on disk. */
export function writeObject({ code, holes }: FunctionObject): string {
  return JSON.stringify({ code: Buffer.from(code).toString("base64"), holes });
}

/** The object that `writeObject` wrote; undefined for anything else. */
export function readObject(text: string): FunctionObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("code" in value) || !("holes" in value))
    return undefined;
  const { code, holes } = value;
  if (typeof code !== "string" || !Array.isArray(holes)) return undefined;
  const bytes = Uint8Array.from(Buffer.from(code, "base64"));
  let last = 0;
  const read: Hole[] = [];
  for (const hole of holes as readonly unknown[]) {
    const known = readHole(hole);
    if (known === undefined || known.at < last || known.at > bytes.length) return undefined;
    last = known.at;
    read.push(known);
  }
  return { code: bytes, holes: read };
}

function readHole(value: unknown): Hole | undefined {
  if (typeof value !== "object" || value === null || !("at" in value) || !("target" in value))
    return undefined;
  const { at, target } = value;
  if (typeof at !== "number" || !Number.isInteger(at) || typeof target !== "object" || target === null)
    return undefined;
  if ("call" in target && "type" in target) {
    const { call, type } = target;
    return typeof call === "string" && typeof type === "string" && /^(?:[0-9a-f]{2})+$/.test(type)
      ? { at, target: { call, type } }
      : undefined;
  }
  if (!("kind" in target) || !("index" in target)) return undefined;
  const kind = REFERENCE_KINDS.find((known) => known === target.kind);
  const { index } = target;
  return kind !== undefined && typeof index === "number" && Number.isInteger(index) && index >= 0
    ? { at, target: { kind, index } }
    : undefined;
}
