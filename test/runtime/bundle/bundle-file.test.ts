/** The bundle reader accepts exactly what the format says and refuses everything else with a reason. */
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ABI_VERSION,
  IMAGE_BASE,
  SECTION_CORE,
  SECTION_MANIFEST,
  SECTION_RULES,
} from "../../../assembly/abi.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { BundleError } from "../../../runtime/errors.ts";
import { MANIFEST, type Section, sampleSections, writeBundle } from "../support/bundle-writer.ts";

function reasonFor(file: Uint8Array): string {
  try {
    readBundle(file);
  } catch (error) {
    expect(error).toBeInstanceOf(BundleError);
    return error instanceof Error ? error.message : "";
  }
  return "accepted";
}

function withSection(kind: number, bytes: Uint8Array): Section[] {
  return sampleSections().map((section) => (section.kind === kind ? { kind, bytes } : section));
}

function withManifest(change: Record<string, unknown>): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...MANIFEST, ...change }));
  return writeBundle(withSection(SECTION_MANIFEST, bytes));
}

/** A kind that no section has. */
const NO_SECTION = 7;

describe("readBundle", () => {
  it("reads every section and digests header and table", () => {
    const file = writeBundle(sampleSections());
    const bundle = readBundle(file);
    const tableEnd = 16 + 48 * sampleSections().length;
    expect(bundle.digest).toBe(createHash("sha256").update(file.subarray(0, tableEnd)).digest("hex"));
    expect(bundle.shortDigest).toBe(bundle.digest.slice(0, 12));
    expect([...bundle.core]).toEqual([1, 2, 3]);
    expect(bundle.manifest.memory.fixed).toBe(IMAGE_BASE);
    expect(bundle.schemas).toBeNull();
  });

  it("reads a bundle that lies inside a larger buffer", () => {
    const file = writeBundle(sampleSections());
    const larger = new Uint8Array(file.length + 32).fill(0xff);
    larger.set(file, 8);
    expect(readBundle(larger.subarray(8, 8 + file.length)).digest).toBe(readBundle(file).digest);
  });

  it("refuses a file in which any one bit is flipped", () => {
    const file = writeBundle(sampleSections());
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(7), (position, bit) => {
        const broken = file.slice();
        broken[position] = (broken[position] ?? 0) ^ (1 << bit);
        return reasonFor(broken) !== "accepted" || readBundle(broken).digest !== readBundle(file).digest;
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses every truncation", () => {
    const file = writeBundle(sampleSections());
    for (let length = 0; length < file.length; length++) {
      expect(reasonFor(file.subarray(0, length)), `length ${length}`).not.toBe("accepted");
    }
  });

  it("survives arbitrary bytes after a valid header", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(8), (noise, count) => {
        const file = new Uint8Array(16 + noise.length);
        file.set(new TextEncoder().encode("EDICTBDL"));
        file[8] = 1;
        file[12] = count;
        file.set(noise, 16);
        return reasonFor(file) !== "accepted";
      }),
    );
  });

  it.each([
    ["another magic", (file: Uint8Array) => file.fill(0x41, 0, 1), /not an edict bundle/],
    [
      "another version",
      (file: Uint8Array) => file.fill(9, 8, 9),
      /format version 9, this edict reads version 1/,
    ],
    ["no sections", (file: Uint8Array) => file.fill(0, 12, 13), /names 0 sections/],
    ["too many sections", (file: Uint8Array) => file.fill(200, 12, 13), /names 200 sections/],
    ["an unknown kind", (file: Uint8Array) => file.fill(77, 16, 17), /unknown kind 77/],
    ["a reserved field", (file: Uint8Array) => file.fill(1, 20, 21), /reserved/],
    ["an offset in the table", (file: Uint8Array) => file.fill(0, 24, 28), /outside the file/],
    ["a misaligned offset", (file: Uint8Array) => file.fill(0xc1, 24, 25), /not aligned/],
    [
      "a length beyond the file",
      (file: Uint8Array) => file.fill(0xff, 28, 30),
      /outside the file|over the limit/,
    ],
    ["an enormous length", (file: Uint8Array) => file.fill(0xff, 28, 32), /over the limit/],
  ])("refuses %s", (_name, mutate, reason) => {
    const file = writeBundle(sampleSections());
    mutate(file);
    expect(reasonFor(file)).toMatch(reason);
  });

  it("refuses repeated, missing, overlapping and unknown sections", () => {
    const sections = sampleSections();
    const [first] = sections;
    expect(first).toBeDefined();
    expect(reasonFor(writeBundle([...sections, ...sections.slice(0, 1)]))).toMatch(/occurs twice/);
    expect(reasonFor(writeBundle(sections.filter((section) => section.kind !== SECTION_RULES)))).toMatch(
      /no rules section/,
    );
    expect(reasonFor(writeBundle([...sections, { kind: NO_SECTION, bytes: new Uint8Array(8) }]))).toMatch(
      /unknown kind 7/,
    );
    const overlapping = writeBundle(sections);
    overlapping.copyWithin(16 + 48 + 8, 16 + 8, 16 + 12);
    expect(reasonFor(overlapping)).toMatch(/overlaps/);
  });

  it("refuses bytes that no section owns", () => {
    const file = writeBundle(sampleSections());
    const longer = new Uint8Array(file.length + 16);
    longer.set(file);
    expect(reasonFor(longer)).toMatch(/bytes outside its sections/);
  });

  it("refuses a section that does not match its digest", () => {
    const file = writeBundle(withSection(SECTION_CORE, new Uint8Array(64).fill(7)));
    const at = file.indexOf(7, 16 + 48 * 5);
    file[at] = 8;
    expect(reasonFor(file)).toMatch(/does not match its digest/);
  });

  it.each([
    [{ abiVersion: 1 }, new RegExp(`ABI version 1, this edict runs version ${ABI_VERSION}`)],
    [{ formatVersion: 2 }, /format version 2/],
    [{ memory: { fixed: 5 } }, /memory\.fixed/],
    [{ memory: { fixed: 1e12 } }, /memory\.fixed/],
    [{ functions: { conditions: -1, outputs: 0 } }, /functions\.conditions/],
    [{ counts: { rules: "many" } }, /counts\.rules/],
    [{ sources: [{ path: 1 }] }, /sources\.path/],
    [{ attributes: null }, /attributes/],
  ])("refuses a manifest with %j", (change, reason) => {
    expect(reasonFor(withManifest(change))).toMatch(reason);
  });

  it("refuses a manifest that is not JSON or not UTF-8", () => {
    expect(reasonFor(writeBundle(withSection(SECTION_MANIFEST, new TextEncoder().encode("{"))))).toMatch(
      /not valid JSON/,
    );
    expect(reasonFor(writeBundle(withSection(SECTION_MANIFEST, new Uint8Array([0x22, 0xff, 0x22]))))).toMatch(
      /not valid JSON/,
    );
  });
});
