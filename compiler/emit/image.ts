/**
 * The image: header, name tables, rule tables and literals, as one blob linked at IMAGE_BASE. The header's words are
 * read by assembly/decide/tables.ts; both sides name them in the same order.
 */
import { ABI_VERSION } from "../../assembly/abi.ts";
import type { Program } from "../ir/program.ts";
import type { Blob } from "./blob.ts";
import { span } from "./literals.ts";
import { nameTable, writeNames } from "./symbols.ts";
import type { Tables } from "./tables.ts";

/** "EDCT", little-endian. */
const IMAGE_MAGIC = 0x54434445;
/** Words reserved for the header at the image's start. */
export const HEADER_WORDS = 40;

const encoder = new TextEncoder();

/** What the functions of the policy module need the image to know. */
export interface FunctionCounts {
  readonly conditions: number;
  readonly outputs: number;
  readonly shared: number;
  /** Per condition: whether its outcome may be remembered for the whole resource. */
  readonly memoizable: readonly boolean[];
}

/** Fills the header reserved at `header`; call it last, when everything else is in the blob. */
export function writeImage(
  blob: Blob,
  header: number,
  program: Program,
  tables: Tables,
  functions: FunctionCounts,
): void {
  const resourceIndex = tables.resources();
  const principalIndex = tables.principals();
  const principalPresence = tables.principalPresence();
  const roleIndex = tables.roles();
  const rolePresence = tables.rolePresence();
  const parentRoles = tables.parentRoles();
  const roleSets = tables.roleSets();
  const derivedRoles = tables.derivedRoles();
  const rootScope = tables.symbols.id("");
  // A role policy without rules only names parent roles: it does not make its scope exist.
  const restricting = program.roles.filter((block) => block.rowCount > 0);
  const resourceScopes = scopeChain(blob, tables, [...program.resources, ...restricting]);
  const principalScopes = scopeChain(blob, tables, program.principals);
  const words = [
    IMAGE_MAGIC,
    ABI_VERSION,
    0,
    attributeNames(blob, program, "principal"),
    attributeNames(blob, program, "resource"),
    program.attributes.length,
    blob.words(program.attributes.map(({ key }) => span(blob, encoder.encode(key)))),
    functions.conditions,
    blob.bytes(Uint8Array.from(functions.memoizable, Number)),
    functions.outputs,
    functions.shared,
    tables.symbols.table(blob),
    tables.symbols.texts(blob),
    tables.symbols.count,
    resourceScopes,
    principalScopes,
    resourceIndex,
    principalIndex,
    principalPresence,
    roleIndex,
    rolePresence,
    parentRoles,
    roleSets.count,
    roleSets.address,
    derivedRoles.count,
    derivedRoles.address,
    rootScope,
    program.roles.length > 0 ? 1 : 0,
    longestChain(program),
    blob.bytes(kindFlags(program, tables)),
  ];
  words[2] = blob.length;
  words.forEach((word, index) => blob.setWord(header + index * 4, word));
}

function attributeNames(blob: Blob, program: Program, root: "principal" | "resource"): number {
  const slots = program.attributes.flatMap((attribute, slot) => (attribute.root === root ? [slot] : []));
  const names = slots.map((slot) => program.attributes[slot]?.key ?? "");
  return nameTable(blob, writeNames(blob, names), (index) => slots[index] ?? 0);
}

/** Per symbol: 1 when it is the kind of a resource policy. */
function kindFlags(program: Program, tables: Tables): Uint8Array {
  const flags = new Uint8Array(tables.symbols.count + 1);
  for (const block of program.resources) flags[tables.symbols.id(block.resource)] = 1;
  return flags;
}

/** Per symbol: 0 when it is no scope of these policies, else `nearest existing ancestor << 1 | 1` (ancestor 0: none). */
function scopeChain(blob: Blob, tables: Tables, blocks: readonly { readonly scope: string }[]): number {
  const scopes = scopesOf(blocks);
  const ids = new Map([...scopes].map((scope) => [scope, tables.symbols.id(scope)]));
  const words = new Uint32Array(tables.symbols.count + 1);
  for (const [scope, id] of ids) {
    const parent = parentScopes(scope).find((candidate) => scopes.has(candidate));
    const parentId = parent === undefined ? 0 : (ids.get(parent) ?? 0);
    words[id] = (parentId << 1) | 1;
  }
  return blob.words(words);
}

/** Scopes in the longest search that any request can start: a scope and all its ancestors. */
export function longestChain(program: Program): number {
  const scopes = scopesOf([...program.resources, ...program.roles]);
  return [...scopes].reduce((longest, scope) => Math.max(longest, parentScopes(scope).length + 1), 1);
}

function scopesOf(blocks: readonly { readonly scope: string }[]): ReadonlySet<string> {
  const scopes = new Set<string>();
  for (const { scope } of blocks) scopes.add(scope);
  return scopes;
}

/** The ancestors of a scope, nearest first, down to the root "". */
function parentScopes(scope: string): string[] {
  const parents: string[] = [];
  let rest = scope;
  while (rest !== "") {
    const dot = rest.lastIndexOf(".");
    rest = dot < 0 ? "" : rest.slice(0, dot);
    parents.push(rest);
  }
  return parents;
}
