/** Putting a section into a bundle: the rest stays, and the layout is the compiler's. */
import { describe, expect, it } from "vitest";
import { SECTION_RULES, SECTION_SELF_TEST } from "../../../assembly/abi.ts";
import { pack } from "../../../compiler/bundle/file.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { withSection } from "../../../runtime/bundle/bundle-writer.ts";
import { sampleSections, writeBundle } from "../support/bundle-writer.ts";

const SECTIONS = sampleSections().map(({ kind, bytes }) => ({ kind, content: [bytes] }));

describe("withSection", () => {
  it("writes what the compiler would have written", () => {
    const content = Uint8Array.of(1, 2, 3);
    const added = withSection(pack(SECTIONS), SECTION_SELF_TEST, content);
    expect([...added]).toEqual([...pack([...SECTIONS, { kind: SECTION_SELF_TEST, content: [content] }])]);
    expect([...(readBundle(added).selfTest ?? [])]).toEqual([1, 2, 3]);
  });

  it("replaces a section of the same kind, and so gives the same file again", () => {
    const rules = SECTIONS.find(({ kind }) => kind === SECTION_RULES);
    const file = withSection(pack(SECTIONS), SECTION_SELF_TEST, Uint8Array.of(1));
    expect([...withSection(file, SECTION_SELF_TEST, Uint8Array.of(1))]).toEqual([...file]);
    const last = [
      ...SECTIONS.filter(({ kind }) => kind !== SECTION_RULES),
      ...(rules === undefined ? [] : [rules]),
    ];
    expect([...withSection(pack(SECTIONS), SECTION_RULES, rules?.content[0] ?? new Uint8Array(0))]).toEqual([
      ...pack(last),
    ]);
  });

  it("takes no file that is not a bundle", () => {
    const broken = writeBundle(sampleSections());
    broken[20] = 9;
    expect(() => withSection(broken, SECTION_SELF_TEST, new Uint8Array(0))).toThrow(/section/);
  });
});
