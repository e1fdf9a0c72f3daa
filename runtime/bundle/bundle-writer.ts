/**
 * Adds to a bundle file what is known only after it has been compiled: a further section. The layout is the compiler's
 * (compiler/bundle/file.ts), so that a file taken apart and put together again has the same bytes.
 */
import { createHash } from "node:crypto";
import { BUNDLE_ENTRY_SIZE, BUNDLE_HEADER_SIZE } from "../../assembly/abi.ts";
import { alignUp, readBundle } from "./bundle-file.ts";

interface Section {
  readonly kind: number;
  readonly content: Uint8Array;
}

/** The bundle in `file` with one more section behind the others, or in place of the one of that kind; without signatures. */
export function withSection(file: Uint8Array, kind: number, content: Uint8Array): Uint8Array {
  readBundle(file);
  const kept = sectionsOf(file).filter((section) => section.kind !== kind);
  return pack(file.subarray(0, 12), [...kept, { kind, content }]);
}

/** The sections of a bundle that has been read, in the order of its table. */
function sectionsOf(file: Uint8Array): readonly Section[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: view.getUint32(12, true) }, (_, index) => {
    const entry = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
    const start = view.getUint32(entry + 8, true);
    return {
      kind: view.getUint32(entry, true),
      content: file.subarray(start, start + view.getUint32(entry + 12, true)),
    };
  });
}

/** `head` is magic and format version. */
function pack(head: Uint8Array, sections: readonly Section[]): Uint8Array {
  const offsets: number[] = [];
  let end = alignUp(BUNDLE_HEADER_SIZE + sections.length * BUNDLE_ENTRY_SIZE);
  for (const { content } of sections) {
    offsets.push(end);
    end = alignUp(end + content.byteLength);
  }
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set(head);
  view.setUint32(12, sections.length, true);
  for (const [index, { kind, content }] of sections.entries()) {
    const entry = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
    const offset = offsets[index] ?? 0;
    view.setUint32(entry, kind, true);
    view.setUint32(entry + 8, offset, true);
    view.setUint32(entry + 12, content.byteLength, true);
    file.set(createHash("sha256").update(content).digest(), entry + 16);
    file.set(content, offset);
  }
  return file;
}
