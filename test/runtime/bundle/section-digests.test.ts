/** Digests that use what the last section had in common with this one are the digests of the whole. */
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SectionDigests } from "../../../runtime/bundle/section-digests.ts";

/** What is read between two states that are kept. */
const STEP = 256 * 1024;

const lengths = fc.oneof(
  fc.nat({ max: 4 * STEP }),
  fc.constantFrom(0, 1, STEP - 1, STEP, STEP + 1, 2 * STEP, 3 * STEP),
);

function content(length: number, changed: number, byte: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(7);
  if (changed < length) bytes[changed] = byte;
  return bytes;
}

describe("digests of sections", () => {
  test("are those of the whole content, whatever came before", () => {
    const version = fc.record({
      kind: fc.constantFrom(1, 2),
      length: lengths,
      changed: lengths,
      byte: fc.nat({ max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 8 }), (versions) => {
        const digests = new SectionDigests();
        for (const { kind, length, changed, byte } of versions) {
          const bytes = content(length, changed, byte);
          const expected = createHash("sha256").update(bytes).digest("hex");
          expect(Buffer.from(digests.digest(kind, bytes)).toString("hex")).toBe(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});
