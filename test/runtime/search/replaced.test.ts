/** Searches during which another version comes to serve, or a denial begins or ends: a page is of one ruling, and names it. */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import type { SearchAnswer } from "../../../runtime/search/searcher.ts";
import { Searcher } from "../../../runtime/search/searcher.ts";
import { FollowingState } from "../../../runtime/threads/following-state.ts";
import { SearchOverloadError } from "../../../runtime/errors.ts";
import { compilePolicies } from "../support/bundles.ts";
import { IS_BUILT } from "../support/daemon.ts";
import { entity, type Page, SEARCH_POLICIES, SearchedSet } from "./support.ts";

/** More than one step looks at. */
const RECORDS = Array.from({ length: 800 }, (_, index) =>
  entity("resource", "record", `${index}`, { department: "sales", text: "t".repeat(200) }),
);
const QUERY = {
  searched: "resource" as const,
  bytes: Buffer.from(
    JSON.stringify({
      subject: { type: "user", id: "alice", properties: { department: "sales" } },
      action: { name: "ping" },
      resource: { type: "record" },
      page: { limit: 1000 },
    }),
  ),
  input: FORMAT_JSON,
  output: FORMAT_JSON,
};

let set: SearchedSet;
let denying: Uint8Array;

beforeAll(async () => {
  const record = SEARCH_POLICIES["record.yaml"] ?? "";
  denying = await compilePolicies({ ...SEARCH_POLICIES, "record.yaml": record.replaceAll("ALLOW", "DENY") });
});

afterEach(async () => {
  await set.close();
});

/** The answer of a search before whose step `at` something happens, which must be one of its steps. */
async function searchWith(
  searcher: Searcher,
  at: number,
  happening: () => void,
): Promise<{ answer: SearchAnswer; found: number }> {
  let looks = 0;
  const answer = await searcher.search(QUERY, () => {
    if (++looks === at) happening();
    return true;
  });
  expect(looks).toBeGreaterThan(at);
  if (answer?.page === undefined || answer.page === null) throw new Error("no page");
  const page = JSON.parse(Buffer.from(answer.page).toString()) as Page;
  return { answer, found: page.results.length };
}

describe.skipIf(!IS_BUILT)("a search", () => {
  it("begins anew when everything comes to be denied", async () => {
    set = await SearchedSet.open(RECORDS);
    const undisturbed = await searchWith(set.searcher, 2, () => undefined);
    expect(undisturbed).toMatchObject({ found: 800, answer: { denial: null } });
    const denied = await searchWith(set.searcher, 2, () => set.state.deny("stale"));
    expect(denied).toMatchObject({ found: 0, answer: { denial: "stale" } });
  });

  it("begins anew when not everything is denied any more", async () => {
    set = await SearchedSet.open(RECORDS);
    set.state.deny("stale");
    let looks = 0;
    const answer = await set.searcher.search(QUERY, () => {
      if (++looks === 1) set.state.deny(null);
      return true;
    });
    expect(answer).toMatchObject({ denial: null });
    expect(JSON.parse(Buffer.from(answer?.page ?? []).toString())).toMatchObject({ page: { count: 800 } });
  });

  it("is answered by the version that has come to serve, on a thread that learns of it from shared memory", async () => {
    set = await SearchedSet.open(RECORDS);
    const first = set.state.engine;
    const second = await Engine.load(denying);
    for (const at of [1, 2]) {
      const epoch = new Int32Array(new SharedArrayBuffer(4));
      const state = new FollowingState(first, epoch, new Int32Array(2), 1);
      state.useDirectory(set.directory.view);
      state.prepare(1, second);
      const searcher = new Searcher(state, { maxCandidates: 200_000 });
      const { answer, found } = await searchWith(searcher, at, () => Atomics.store(epoch, 0, 1));
      expect(found).toBe(0);
      expect(answer.engine).toBe(second);
    }
  });

  it("is refused when what serves is replaced again and again", async () => {
    set = await SearchedSet.open(RECORDS);
    let looks = 0;
    const search = set.searcher.search(QUERY, () => {
      set.state.deny(`reason ${looks++}`);
      return true;
    });
    await expect(search).rejects.toBeInstanceOf(SearchOverloadError);
    expect(looks).toBeLessThan(20);
  });
});
