/** How a page is put together: steps of any size, what is too much at once, and what is too much by itself. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RECORD_HEAD, recordLength } from "../../../runtime/directory/entity-table.ts";
import { EngineError } from "../../../runtime/errors.ts";
import { ActionList } from "../../../runtime/search/action-names.ts";
import type { Judge } from "../../../runtime/search/candidate-judge.ts";
import { CandidateWalk } from "../../../runtime/search/candidate-walk.ts";

/** The names in some candidates, with their offsets. */
function namesIn(bytes: Uint8Array): { readonly name: string; readonly offset: number }[] {
  const names = [];
  for (let offset = 0; offset < bytes.byteLength; offset += recordLength(bytes, offset)) {
    const end = offset + recordLength(bytes, offset);
    if (end > bytes.byteLength) break;
    names.push({ name: Buffer.from(bytes.subarray(offset + RECORD_HEAD, end)).toString(), offset });
  }
  return names;
}

/** Permits names that begin with `y`; at most `most` at once are not too much, and `huge` always is. */
function judge(most: number): Judge {
  return (candidates, limit) => {
    const names = namesIn(candidates);
    if (names.length > most || names.some(({ name }) => name.includes("huge"))) return { kind: "too-much" };
    const matches: number[] = [];
    let searched = 0;
    for (const { name, offset } of names) {
      if (matches.length === limit) break;
      if (name.startsWith("y")) matches.push(offset);
      searched = offset + recordLength(candidates, offset);
    }
    return { kind: "judged", matches, searched };
  };
}

function pages(names: readonly string[], limit: number, maxCandidates: number, most: number): string[][] {
  const found: string[][] = [];
  for (let position = 0; ;) {
    const walk = new CandidateWalk(new ActionList(names), position, judge(most), { limit, maxCandidates });
    while (!walk.step());
    found.push(walk.ids);
    if (walk.next === null) return found;
    position = walk.next;
  }
}

const stuck: Judge = () => ({ kind: "judged", matches: [], searched: 0 });

describe("a page", () => {
  it("has every match once, in order, however it is looked for", () => {
    const name = fc.constantFrom("y1", "y22", "n1", "n22", "yhuge", "nhuge", `y${"x".repeat(2000)}`);
    fc.assert(
      fc.property(
        fc.array(name, { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (names, limit, maxCandidates, most) => {
          const found = pages(names, limit, maxCandidates, most);
          const expected = names.filter((one) => one.startsWith("y") && !one.includes("huge"));
          expect(found.flat()).toEqual(expected);
          for (const page of found) expect(page.length).toBeLessThanOrEqual(limit);
          if (maxCandidates >= names.length)
            expect(found.length).toBe(Math.max(1, Math.ceil(expected.length / limit)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("ends with an error rather than never when a judge does not go on", () => {
    const walk = new CandidateWalk(new ActionList(["a"]), 0, stuck, { limit: 1, maxCandidates: 10 });
    expect(() => walk.step()).toThrow(EngineError);
  });
});
