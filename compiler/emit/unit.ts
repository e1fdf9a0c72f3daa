/**
 * One generated function, in two texts. The *listing* is for people: addresses, slots and ids as they are in this image,
 * with comments. The *shape* is for the compiler: everything that depends on the rest of the policy set is a name (`L0`, `S0` …)
 * that the linker fills in later. Equal shapes are compiled once, whatever they are about and whatever else the set holds:
 *
 *   listing: resourceEquals(4 /* R.attr.status * /, 0xfff80005000400b0 /* "PENDING" * /)
 *   shape:   resourceEquals(S0, L0)                         S0 = 4, L0 = 0xfff80005000400b0
 */
import { TAG_BOOL, TAG_NULL } from "../../assembly/abi.ts";

/**
 * What a shape refers to: `L` a literal in the image (u64), `S` an attribute slot, `M` the index of a remembered result and `D`
 * a condition (i32), `E` a shared function, by index.
 */
export type ReferenceKind = "L" | "S" | "M" | "D" | "E";

export const REFERENCE_KINDS: readonly ReferenceKind[] = ["L", "S", "M", "D", "E"];

/** A function of the policy module. */
export interface Unit {
  /** As in `c0`; exported names are how the host finds conditions and outputs. */
  readonly name: string;
  readonly isExported: boolean;
  readonly result: "i32" | "u64";
  /** Body for the compiler; refers to `references`. */
  readonly shape: string;
  /** Values of `L0, L1 …` and so on, in this order. */
  readonly references: Readonly<Record<ReferenceKind, readonly bigint[]>>;
  /** Core functions that it calls, in order of first use. */
  readonly uses: readonly string[];
  /** The function as people read it. */
  readonly listing: string;
}

interface Reference {
  readonly kind: ReferenceKind | "";
  readonly value: bigint;
  /** As it stands in the listing. */
  readonly shown: string;
}

/** Encloses the number of a reference in text being written; `comment` lets none through from policies. */
const MARK = "\uE000";
const MARKED = /\uE000(\d+)\uE000/gu;

/** Collects what one function refers to while its text is written. */
export class UnitText {
  readonly #references: Reference[] = [];
  readonly #uses = new Set<string>();

  /** A term for a value that is known now. */
  constant(value: bigint, description: string): string {
    const shown = `0x${value.toString(16)} ${comment(description)}`;
    return this.#add({ kind: isInImage(value) ? "L" : "", value, shown });
  }

  /** A term for an attribute slot. */
  slot(slot: number, name: string): string {
    return this.#add({ kind: "S", value: BigInt(slot), shown: `${slot} ${comment(name)}` });
  }

  /** A term for the index of a remembered result. */
  memo(index: number): string {
    return this.#add({ kind: "M", value: BigInt(index), shown: String(index) });
  }

  /** A term for a condition's id. */
  condition(id: number): string {
    return this.#add({ kind: "D", value: BigInt(id), shown: String(id) });
  }

  /** A call of a shared function. */
  shared(index: number): string {
    return `${this.#add({ kind: "E", value: BigInt(index), shown: `e${index}` })}()`;
  }

  /** Records that the function calls a core function. */
  use(...names: readonly string[]): void {
    for (const name of names) this.#uses.add(name);
  }

  /** The finished function. `header` is a comment for people only. */
  finish(
    function_: Pick<Unit, "name" | "isExported" | "result"> & { readonly header?: string },
    lines: readonly string[],
  ): Unit {
    const { name, isExported, result, header } = function_;
    const references: Record<ReferenceKind, bigint[]> = { L: [], S: [], M: [], D: [], E: [] };
    const body = lines.join("\n");
    const shape = body.replaceAll(MARKED, (_, index: string) => {
      const reference = this.#references[Number(index)];
      if (reference === undefined) return "";
      if (reference.kind === "") return `0x${reference.value.toString(16)}`;
      return `${reference.kind}${references[reference.kind].push(reference.value) - 1}`;
    });
    const shown = body.replaceAll(MARKED, (_, index: string) => this.#references[Number(index)]?.shown ?? "");
    const head = header === undefined ? "" : `${header}\n`;
    const listing = `${head}${isExported ? "export " : ""}function ${name}(): ${result} {\n${shown}\n}\n`;
    return { name, isExported, result, shape, references, uses: [...this.#uses], listing };
  }

  #add(reference: Reference): string {
    return `${MARK}${this.#references.push(reference) - 1}${MARK}`;
  }
}

/** Whether a value is boxed with an address: everything in the space of NaNs but null and the booleans. */
function isInImage(value: bigint): boolean {
  const tag = Number((value >> 32n) & 0x7ffffn);
  return value >> 51n === 0x1fffn && tag !== TAG_NULL && tag !== TAG_BOOL;
}

/** A comment that user text cannot close, kept short. */
export function comment(content: string): string {
  const short = content.length > 48 ? `${content.slice(0, 45)}...` : content;
  return `/* ${short
    .replaceAll("*/", "* /")
    .replaceAll(/[\r\n\u2028\u2029]+/gu, " ")
    .replaceAll(MARK, "")} */`;
}
