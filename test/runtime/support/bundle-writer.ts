/** Writes bundle files byte by byte, for tests that need broken ones; independent of the compiler's writer. */
import { createHash } from "node:crypto";
import {
  ABI_VERSION,
  IMAGE_BASE,
  SECTION_CORE,
  SECTION_IMAGE,
  SECTION_MANIFEST,
  SECTION_POLICY,
  SECTION_RULES,
} from "../../../assembly/abi.ts";

export interface Section {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

export const MANIFEST = {
  formatVersion: 1,
  abiVersion: ABI_VERSION,
  compiler: "edict test",
  policyDigest: "00",
  sources: [{ path: "a.yaml", digest: "11" }],
  memory: { fixed: IMAGE_BASE },
  functions: { conditions: 0, outputs: 0 },
  attributes: [{ root: "principal", key: "team" }],
  counts: { rules: 1 },
  schemas: { used: false },
};

/** The smallest set of sections that a reader accepts. */
export function sampleSections(): Section[] {
  const encoder = new TextEncoder();
  const rules = { files: [], policies: [], rules: [], derivedRoles: [], conditions: [] };
  return [
    { kind: SECTION_MANIFEST, bytes: encoder.encode(JSON.stringify(MANIFEST)) },
    { kind: SECTION_CORE, bytes: new Uint8Array([1, 2, 3]) },
    { kind: SECTION_POLICY, bytes: new Uint8Array([4]) },
    { kind: SECTION_IMAGE, bytes: new Uint8Array(0) },
    { kind: SECTION_RULES, bytes: encoder.encode(JSON.stringify(rules)) },
  ];
}

/** Lays sections out as assembly/abi.ts says. */
export function writeBundle(sections: readonly Section[]): Uint8Array {
  let offset = 16 + 48 * sections.length;
  const placed = sections.map((section) => {
    const start = (offset + 7) & ~7;
    offset = start + section.bytes.length;
    return { ...section, start };
  });
  const file = new Uint8Array(offset);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode("EDICTBDL"));
  view.setUint32(8, 1, true);
  view.setUint32(12, sections.length, true);
  for (const [index, { kind, bytes, start }] of placed.entries()) {
    const entry = 16 + 48 * index;
    view.setUint32(entry, kind, true);
    view.setUint32(entry + 8, start, true);
    view.setUint32(entry + 12, bytes.length, true);
    file.set(createHash("sha256").update(bytes).digest(), entry + 16);
    file.set(bytes, start);
  }
  return file;
}
