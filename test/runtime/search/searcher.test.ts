/** Searches through the real guest over a real directory, against one evaluation per entity. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { RequestError } from "../../../runtime/errors.ts";
import type { Searched } from "../../../runtime/guest/search-request.ts";
import { changesOf, type EntityText } from "../directory/support.ts";
import { compilePolicies } from "../support/bundles.ts";
import { IS_BUILT } from "../support/daemon.ts";
import { entity, idsOf, SEARCH_POLICIES, SearchedSet } from "./support.ts";

const opened: SearchedSet[] = [];

afterEach(async () => {
  for (const set of opened.splice(0)) await set.close();
});

async function open(...given: Parameters<typeof SearchedSet.open>): Promise<SearchedSet> {
  const set = await SearchedSet.open(...given);
  opened.push(set);
  return set;
}

const PEOPLE = [
  entity("subject", "user", "alice", { department: "sales", level: 2 }),
  entity("subject", "user", "bob", { department: "it", level: 9 }),
  entity("subject", "user", "carol"),
  entity("subject", "robot", "r2", { department: "sales", level: 9 }),
];

const RECORDS = [
  entity("resource", "record", "1", { department: "sales", level: 1, owner: "bob" }),
  entity("resource", "record", "2", { department: "sales", level: 3, owner: "alice", archived: false }),
  entity("resource", "record", "3", { department: "it", level: 1, owner: "alice", archived: true }),
  entity("resource", "record", "4"),
];

const user = (id: string): object => ({ type: "user", id });

const record = (id: string, properties?: object): object => ({ type: "record", id, properties });

const odd = (id: string, roles: unknown): EntityText =>
  entity("subject", "user", id, { "cerbos.roles": roles });

describe.skipIf(!IS_BUILT)("a search", () => {
  it("finds resources, in order, with the page first", async () => {
    const set = await open([...PEOPLE, ...RECORDS]);
    const body = { subject: user("alice"), action: { name: "view" }, resource: { type: "record" } };
    const page = await set.search("resource", body);
    expect(JSON.stringify(page)).toBe(
      '{"page":{"next_token":"","count":3},"results":[{"type":"record","id":"1"},{"type":"record","id":"2"},{"type":"record","id":"3"}]}',
    );
    expect(await set.search("resource", body, "msgpack")).toEqual(page);
  });

  it("finds subjects of the type that is asked for, whatever id stands beside it", async () => {
    const set = await open([...PEOPLE, ...RECORDS]);
    const body = {
      subject: { type: "user" },
      action: { name: "view" },
      resource: { type: "record", id: "1" },
    };
    const expected = [
      { type: "user", id: "alice" },
      { type: "user", id: "bob" },
    ];
    expect((await set.search("subject", body)).results).toEqual(expected);
    expect((await set.search("subject", { ...body, subject: user("nobody") })).results).toEqual(expected);
  });

  it("finds the actions that policies of any kind name and permit, sorted, and no patterns", async () => {
    const set = await open([...PEOPLE, ...RECORDS, entity("subject", "user", "auditor")]);
    const actions = async (subject: object, resource: object, context?: object): Promise<string[]> =>
      idsOf([
        await set.search("action", { subject, resource, ...(context === undefined ? {} : { context }) }),
      ]);
    expect(await actions(user("alice"), record("2"))).toEqual(["edit", "ping", "view"]);
    expect(await actions(user("alice"), record("3"))).toEqual(["ping", "view"]);
    expect(await actions(user("alice"), record("2"), { hour: 3 })).toEqual([
      "at-night",
      "edit",
      "ping",
      "view",
    ]);
    expect(await actions(user("auditor"), record("1"))).toEqual(["audit", "ping"]);
    expect(await actions(user("carol"), record("1", { "cerbos.policyVersion": "beta" }))).toEqual([
      "preview",
      "view",
    ]);
    const office = { "cerbos.scope": "office", "cerbos.roles": ["clerk"] };
    expect(
      await actions({ ...user("carol"), properties: office }, record("1", { "cerbos.scope": "office" })),
    ).toEqual(["stamp"]);
    expect(await actions(user("alice"), { type: "unheard-of", id: "1", properties: { a: 1 } })).toEqual([]);
  });

  it("agrees with one evaluation per entity on every page, whatever is in the directory", async () => {
    const properties = fc.record(
      {
        department: fc.constantFrom<unknown>("sales", "it", 7),
        level: fc.constantFrom<unknown>(0, 5, 9.5, "high"),
        owner: fc.constantFrom("u1", "u2", "u3"),
        archived: fc.boolean(),
        "cerbos.policyVersion": fc.constantFrom("beta", "none"),
        "cerbos.roles": fc.constantFrom<unknown>("user", ["clerk", "user"]),
      },
      { requiredKeys: [] },
    );
    const entities = fc.array(
      fc.record({
        kind: fc.constantFrom("subject" as const, "resource" as const),
        type: fc.constantFrom("user", "record"),
        id: fc.constantFrom("u1", "u2", "u3", "4", "5", "6", "7", "8"),
        properties,
      }),
      { maxLength: 30 },
    );
    const input = fc.record({
      searched: fc.constantFrom<Searched>("subject", "resource", "action"),
      id: fc.constantFrom("u1", "4", "zz"),
      own: fc.option(properties, { nil: undefined }),
      wanted: fc.option(properties, { nil: undefined }),
      action: fc.constantFrom("view", "edit", "ping", "export:csv", "none"),
      limit: fc.integer({ min: 1, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(entities, fc.array(input, { maxLength: 8 }), async (all, questions) => {
        const set = await SearchedSet.open(all);
        // What is there now, a later entity in place of an earlier one and behind all others.
        const present = new Map<string, EntityText>();
        for (const one of all) {
          const key = `${one.kind} ${one.type} ${one.id}`;
          present.delete(key);
          present.set(key, one);
        }
        for (const { searched, id, own, wanted, action, limit } of questions) {
          const subject = {
            type: "user",
            ...(searched === "subject" ? {} : { id }),
            properties: searched === "subject" ? wanted : own,
          };
          const resource = {
            type: "record",
            ...(searched === "resource" ? {} : { id }),
            properties: searched === "resource" ? wanted : own,
          };
          const body = { subject, resource, ...(searched === "action" ? {} : { action: { name: action } }) };
          const kinds =
            searched === "action"
              ? ["subject", "resource"]
              : [searched === "subject" ? "resource" : "subject"];
          const isKnown = kinds.every((kind) => {
            const has = [...present.values()].some((one) => one.kind === kind);
            const type = kind === "subject" ? "user" : "record";
            return !has || present.has(`${kind} ${type} ${id}`) || Object.keys(own ?? {}).length > 0;
          });
          const candidates =
            searched === "action"
              ? ["at-night", "audit", "delete", "edit", "ping", "preview", "stamp", "view"]
              : [...present.values()]
                  .filter(
                    ({ kind, type }) =>
                      kind === searched && type === (searched === "subject" ? "user" : "record"),
                  )
                  .map((one) => one.id);
          const expected = candidates.filter((candidate) => {
            if (!isKnown) return false;
            if (searched === "action") return set.decide({ ...body, action: { name: candidate } });
            const type = searched === "subject" ? "user" : "record";
            return set.decide({ ...body, [searched]: { type, id: candidate } });
          });
          const pages = await set.pages(searched, body, limit);
          expect(idsOf(pages)).toEqual(expected);
          for (const { page, results } of pages.slice(0, -1)) {
            expect(results).toHaveLength(limit);
            expect(page.count).toBe(limit);
          }
        }
        await set.close();
      }),
      { numRuns: 60 },
    );
  }, 300_000);

  it("finds nothing for an entity or a type that nobody knows", async () => {
    const set = await open([...PEOPLE, ...RECORDS]);
    const empty = { page: { next_token: "", count: 0 }, results: [] };
    const action = { name: "ping" };
    const first = { type: "record", id: "1" };
    expect(
      await set.search("resource", { subject: user("zoe"), action, resource: { type: "record" } }),
    ).toEqual(empty);
    expect(
      await set.search("resource", { subject: user("bob"), action, resource: { type: "ship" } }),
    ).toEqual(empty);
    expect(await set.search("subject", { subject: { type: "ship" }, action, resource: first })).toEqual(
      empty,
    );
    expect(await set.search("action", { subject: user("zoe"), resource: first })).toEqual(empty);
    expect(await set.search("action", { subject: { type: "ship", id: "bob" }, resource: first })).toEqual(
      empty,
    );
    // One whose properties the request brings is known.
    const zoe = { ...user("zoe"), properties: { level: 1 } };
    expect((await set.search("action", { subject: zoe, resource: first })).results).toEqual([
      { name: "ping" },
    ]);
  });

  it("passes over entities whose stored properties make no sense", async () => {
    const set = await open([odd("a", 7), odd("b", []), odd("c", ["user"]), ...RECORDS]);
    const body = {
      subject: { type: "user" },
      action: { name: "ping" },
      resource: { type: "record", id: "1" },
    };
    expect(idsOf([await set.search("subject", body)])).toEqual(["c"]);
  });

  it("asks the policies when the directory has no entities of a kind", async () => {
    const set = await open(RECORDS);
    const body = { subject: user("zoe"), action: { name: "ping" }, resource: { type: "record" } };
    expect(idsOf([await set.search("resource", body)])).toEqual(["1", "2", "3", "4"]);
    const empty = await open([]);
    const action = { subject: user("zoe"), resource: { type: "record", id: "9" } };
    expect(idsOf([await empty.search("action", action)])).toEqual(["ping"]);
  });

  it("lets attributes decide that a schema refuses, as evaluations do", async () => {
    const bundle = await compilePolicies({
      "record.yaml": `${SEARCH_POLICIES["record.yaml"] ?? ""}  schemas:\n    resourceSchema: { ref: "cerbos:///record.json" }\n`,
      "_schemas/record.json": '{"type":"object","properties":{"level":{"type":"integer","maximum":2}}}',
    });
    const body = { subject: user("alice"), action: { name: "view" }, resource: { type: "record" } };
    const lax = await open([...PEOPLE, ...RECORDS], { bundle, engine: { schemaEnforcement: "warn" } });
    expect(idsOf([await lax.search("resource", body)])).toEqual(["1", "2", "3"]);
    const strict = await open([...PEOPLE, ...RECORDS], { bundle, engine: { schemaEnforcement: "reject" } });
    expect(idsOf([await strict.search("resource", body)])).toEqual(["1", "3"]);
    const actions = { subject: user("alice"), resource: { type: "record", id: "2" } };
    expect(idsOf([await strict.search("action", actions)])).toEqual([]);
  });

  it("finds nothing while everything is denied", async () => {
    const set = await open([...PEOPLE, ...RECORDS]);
    set.state.deny("stale");
    const body = { subject: user("bob"), action: { name: "ping" }, resource: { type: "record" } };
    expect(idsOf([await set.search("resource", body)])).toEqual([]);
  });
});

describe.skipIf(!IS_BUILT)("pages", () => {
  const MANY = Array.from({ length: 250 }, (_, index) =>
    entity("resource", "record", `r${index}`, { n: index }),
  );
  const PING = { subject: user("alice"), action: { name: "ping" }, resource: { type: "record" } };

  it("have 100 results unless told, 1,000 at most, and none for a limit of 0", async () => {
    const set = await open([...PEOPLE, ...MANY]);
    const first = await set.search("resource", PING);
    expect(first.results).toHaveLength(100);
    expect(first.page.next_token).not.toBe("");
    const none = await set.search("resource", { ...PING, page: { limit: 0 } });
    expect(none).toMatchObject({ page: { count: 0 }, results: [] });
    expect(none.page.next_token).not.toBe("");
    const all = await set.search("resource", { ...PING, page: { limit: 1e9, properties: { sort: "id" } } });
    expect(all.results).toHaveLength(250);
    expect(all.page.next_token).toBe("");
  });

  it("go on with the limit of the first unless the request repeats it", async () => {
    const set = await open([...PEOPLE, ...MANY]);
    const { page } = await set.search("resource", { ...PING, page: { limit: 7 } });
    const token = page.next_token;
    const second = await set.search("resource", { ...PING, page: { token } });
    expect(idsOf([second])).toEqual(["r7", "r8", "r9", "r10", "r11", "r12", "r13"]);
    expect(await set.search("resource", { ...PING, page: { token, limit: 7 } })).toEqual(second);
    await expect(set.search("resource", { ...PING, page: { token, limit: 8 } })).rejects.toThrow(
      "page.token",
    );
  });

  it("say that there are no more as soon as there are none", async () => {
    const set = await open([...PEOPLE, ...MANY.slice(0, 10)]);
    const pages = await set.pages("resource", PING, 5);
    expect(pages.map(({ results }) => results.length)).toEqual([5, 5]);
  });

  it("are short when too many candidates would have to be looked at, and complete together", async () => {
    const set = await open([...PEOPLE, ...MANY], { search: { maxCandidates: 20 } });
    const own = { ...PING, action: { name: "edit" } };
    const pages = await set.pages("resource", own, 100);
    expect(pages.length).toBeGreaterThan(1);
    expect(idsOf(pages)).toEqual([]);
    expect(idsOf(await set.pages("resource", PING, 1000))).toHaveLength(250);
  });

  it("accept no token of another question, of another search, of another form", async () => {
    const set = await open([...PEOPLE, ...MANY]);
    const { page } = await set.search("resource", { ...PING, page: { limit: 2 } });
    const token = page.next_token;
    const others: (readonly [Searched, object])[] = [
      ["resource", { ...PING, subject: user("bob") }],
      ["resource", { ...PING, action: { name: "view" } }],
      ["resource", { ...PING, context: { hour: 1 } }],
      ["resource", { ...PING, resource: { type: "record", properties: { a: 1 } } }],
      ["subject", { ...PING, resource: { type: "record", id: "r1" } }],
    ];
    for (const [searched, body] of others) {
      await expect(set.search(searched, { ...body, page: { token } })).rejects.toThrow(
        /`page.token` does not belong/,
      );
    }
    for (const text of ["x", `${token}A`, token.slice(1), `${token.slice(0, -1)}!`, "A".repeat(36)]) {
      await expect(set.search("resource", { ...PING, page: { token: text } })).rejects.toThrow(RequestError);
    }
    // The order of members, an id that means nothing and an absent context do not make another question.
    const same = {
      context: null,
      resource: { id: "x", type: "record" },
      action: { name: "ping" },
      subject: user("alice"),
    };
    expect(idsOf([await set.search("resource", { ...same, page: { token } })])).toEqual(["r2", "r3"]);
  });

  it("hold for one version of the policies and one edition of the table", async () => {
    const set = await open([...PEOPLE, ...MANY]);
    const { page } = await set.search("resource", { ...PING, page: { limit: 2 } });
    const token = page.next_token;
    await set.directory.change(
      changesOf([entity("resource", "record", "new"), entity("resource", "record", "r3")]),
    );
    expect(idsOf([await set.search("resource", { ...PING, page: { token } })])).toEqual(["r2", "r4"]);
    const old = set.state.engine;
    const other = await open([], {
      bundle: await compilePolicies({ "record.yaml": SEARCH_POLICIES["record.yaml"] ?? "" }),
    });
    set.state.swap(other.state.engine);
    await expect(set.search("resource", { ...PING, page: { token } })).rejects.toThrow("start again");
    set.state.swap(old);
    await set.directory.reload();
    await expect(set.search("resource", { ...PING, page: { token } })).rejects.toThrow("start again");
  });

  it.each([
    [{ page: 7 }, "page", "`page` must be an object"],
    [{ page: [] }, "page", "`page` must be an object"],
    [{ page: { limit: -1 } }, "page.limit", "`page.limit` must be a whole number from 0 on"],
    [{ page: { limit: 1.5 } }, "page.limit", "`page.limit` must be a whole number from 0 on"],
    [{ page: { limit: null } }, "page.limit", "`page.limit` must be a whole number from 0 on"],
    [{ page: { token: 7 } }, "page.token", "`page.token` must be a string"],
    [{ page: { properties: "x" } }, "page.properties", "`page.properties` must be an object"],
    [{ subject: undefined }, "subject", "`subject` is missing"],
    [{ subject: { type: "user" } }, "subject.id", "`subject.id` is missing or empty"],
    [{ action: undefined }, "action", "`action` is missing"],
    [{ resource: 7 }, "resource", "`resource` must be an object"],
  ])("of a wrong body %j are refused, naming the field", async (part, field, message) => {
    const set = await open([...PEOPLE, ...RECORDS]);
    const problem = await set.search("resource", { ...PING, ...part }).then(
      () => null,
      (error: unknown) => error,
    );
    expect(problem).toBeInstanceOf(RequestError);
    expect(problem).toMatchObject({ field, message });
  });
});
