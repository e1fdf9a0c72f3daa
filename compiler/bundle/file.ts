/** The bundle file: sections behind a table with their digests (layout in assembly/abi.ts). Same sections, same bytes. */
import { BUNDLE_ENTRY_SIZE, BUNDLE_FORMAT_VERSION, BUNDLE_HEADER_SIZE } from "../../assembly/abi.ts";
import { SectionDigests } from "./section-digests.ts";

export interface Section {
  /** SECTION_*. */
  readonly kind: number;
  /** The content, in pieces that follow each other. */
  readonly content: readonly Uint8Array[];
}

export interface PackOptions {
  /** Memory for the file, all zero. */
  readonly allocate?: (size: number) => Uint8Array;
  /** Kept by a caller that packs again; keeps the file alive. */
  readonly digests?: SectionDigests;
}

/** Packs sections, in the order given, into one file. */
export function pack(sections: readonly Section[], options: PackOptions = {}): Uint8Array {
  const digests = options.digests ?? new SectionDigests();
  const tableEnd = BUNDLE_HEADER_SIZE + sections.length * BUNDLE_ENTRY_SIZE;
  const places: { readonly offset: number; readonly length: number }[] = [];
  let end = align(tableEnd);
  for (const { content } of sections) {
    const length = content.reduce((sum, piece) => sum + piece.length, 0);
    places.push({ offset: end, length });
    end = align(end + length);
  }
  const file = options.allocate?.(end) ?? new Uint8Array(end);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  file.set(new TextEncoder().encode("EDICTBDL"));
  view.setUint32(8, BUNDLE_FORMAT_VERSION, true);
  view.setUint32(12, sections.length, true);
  sections.forEach(({ kind, content }, index) => {
    const entry = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
    const { offset, length } = places[index] ?? { offset: 0, length: 0 };
    view.setUint32(entry, kind, true);
    view.setUint32(entry + 8, offset, true);
    view.setUint32(entry + 12, length, true);
    let at = offset;
    for (const piece of content) {
      file.set(piece, at);
      at += piece.length;
    }
    file.set(digests.digest(kind, file.subarray(offset, at)), entry + 16);
  });
  return file;
}

function align(offset: number): number {
  return (offset + 7) & ~7;
}
