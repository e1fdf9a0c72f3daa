/** The bundle file: sections behind a table with their digests (layout in assembly/abi.ts). Same sections, same bytes. */
import { createHash } from "node:crypto";
import { BUNDLE_ENTRY_SIZE, BUNDLE_FORMAT_VERSION, BUNDLE_HEADER_SIZE } from "../../assembly/abi.ts";

export interface Section {
  /** SECTION_*. */
  readonly kind: number;
  readonly content: Uint8Array;
}

/** Packs sections, in the order given, into one file. */
export function pack(sections: readonly Section[]): Uint8Array {
  const tableEnd = BUNDLE_HEADER_SIZE + sections.length * BUNDLE_ENTRY_SIZE;
  const offsets: number[] = [];
  let end = align(tableEnd);
  for (const section of sections) {
    offsets.push(end);
    end = align(end + section.content.length);
  }
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode("EDICTBDL"));
  view.setUint32(8, BUNDLE_FORMAT_VERSION, true);
  view.setUint32(12, sections.length, true);
  sections.forEach((section, index) => {
    const entry = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
    const offset = offsets[index] ?? 0;
    view.setUint32(entry, section.kind, true);
    view.setUint32(entry + 8, offset, true);
    view.setUint32(entry + 12, section.content.length, true);
    file.set(createHash("sha256").update(section.content).digest(), entry + 16);
    file.set(section.content, offset);
  });
  return file;
}

function align(offset: number): number {
  return (offset + 7) & ~7;
}
