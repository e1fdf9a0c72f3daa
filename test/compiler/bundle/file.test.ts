/** The bundle file: what the runtime reads is what the compiler packed, byte for byte the same every time. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BUNDLE_ENTRY_SIZE, BUNDLE_HEADER_SIZE } from "../../../assembly/abi.ts";
import { pack } from "../../../compiler/bundle/file.ts";

const sections = [
  { kind: 1, content: [new TextEncoder().encode('{"a"'), new TextEncoder().encode(":1}")] },
  { kind: 4, content: [] },
  { kind: 2, content: [Uint8Array.of(1, 2, 3)] },
];

function inSharedMemory(size: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(size));
}

describe("the bundle file", () => {
  test("holds every section where its table says, with its digest", () => {
    const file = pack(sections);
    const view = new DataView(file.buffer);
    expect(new TextDecoder().decode(file.subarray(0, 8))).toBe("EDICTBDL");
    expect(view.getUint32(12, true)).toBe(sections.length);
    sections.forEach((section, index) => {
      const entry = BUNDLE_HEADER_SIZE + index * BUNDLE_ENTRY_SIZE;
      const offset = view.getUint32(entry + 8, true);
      const length = view.getUint32(entry + 12, true);
      expect(view.getUint32(entry, true)).toBe(section.kind);
      expect(offset % 8).toBe(0);
      const content = Buffer.concat(section.content);
      expect([...file.subarray(offset, offset + length)]).toEqual([...content]);
      const digest = createHash("sha256").update(content).digest();
      expect(Buffer.compare(file.subarray(entry + 16, entry + 48), digest)).toBe(0);
    });
  });

  test("is the same for the same sections", () => {
    expect(Buffer.compare(pack(sections), pack(sections))).toBe(0);
  });

  test("is the same in memory that threads share", () => {
    const file = pack(sections, { allocate: inSharedMemory });
    expect(file.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(Buffer.compare(file, pack(sections))).toBe(0);
  });
});
