/** HalfSipHash-2-4 by the published outputs for the key 0 to 7 and the messages 0, 1, 2 and so on of every length. */
import { describe, expect, it } from "vitest";
import { keyedHash } from "../../../runtime/directory/keyed-hash.ts";

const OUTPUTS = [
  "a9359f5b",
  "27475ab8",
  "fa62a603",
  "8afee704",
  "2a6e4689",
  "c5fab669",
  "5863fc23",
  "8bcf63c5",
];

describe("the hash of ids", () => {
  it.each(OUTPUTS.map((output, length) => [length, output] as const))(
    "of %i bytes is %s",
    (length, output) => {
      const hash = Buffer.alloc(4);
      const message = Uint8Array.from({ length }, (_, index) => index);
      hash.writeInt32LE(keyedHash(message, 0x03020100, 0x07060504));
      expect(hash.toString("hex")).toBe(output);
    },
  );

  it("depends on the key", () => {
    const message = Uint8Array.of(1, 2, 3);
    expect(keyedHash(message, 1, 2)).not.toBe(keyedHash(message, 1, 3));
  });
});
