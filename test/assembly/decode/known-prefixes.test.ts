/**
 * Entries that begin as one of an earlier request did are recognised (assembly/decode/known-prefixes.ts). That what is taken from there
 * is right is tested by repeats.test.ts and decide/known-prefixes.test.ts; here, which entries are known, and what becomes of slots.
 */
import { beforeEach, describe, expect, it } from "vitest";

import { BUILDS } from "../support/build-guest.ts";
import { toMsgpack } from "./bodies.ts";
import { type DecoderHost, type Format, startDecoder } from "./decoder-host.ts";

const RESOURCE_SIZE = 112;
const RESOURCE_KNOWN = 104;

interface Entry {
  readonly actions: readonly string[];
  readonly resource: Readonly<Record<string, unknown>>;
}

function entry(kind: string, more: Readonly<Record<string, unknown>> = {}): Entry {
  return {
    actions: ["view:public", "approve"],
    resource: { kind, ...more, id: "1", attr: { owner: "ann" } },
  };
}

function body(format: Format, entries: readonly unknown[]): Uint8Array {
  const request = { principal: { id: "p", roles: ["user"] }, resources: entries };
  return format === "json" ? Buffer.from(JSON.stringify(request)) : toMsgpack(request);
}

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;
  /** The slots of the entries of a request, 0 for those that have none, once it has been accepted. */
  let slotsOf: (format: Format, entries: readonly unknown[]) => readonly number[];

  // Slots fill up.
  beforeEach(async () => {
    host = await startDecoder(build);
    host.project([], ["owner"]);
    slotsOf = (format, entries) => {
      const maxResources = entries.length;
      expect(host.decode(format, body(format, entries), { maxResources }).status).toBe(0);
      expect(host.validate().status).toBe(0);
      const resources = Number(host.guest.global("resources"));
      return entries.map((_, index) =>
        host.guest.view.getUint32(resources + index * RESOURCE_SIZE + RESOURCE_KNOWN, true),
      );
    };
  });

  describe.each(["json", "msgpack"] as const)("%s", (format) => {
    it("gives an entry the slot that it had in the request before", () => {
      const entries = [
        entry("album"),
        entry("photo", { policyVersion: "v2" }),
        entry("photo", { scope: "acme" }),
      ];
      const first = slotsOf(format, entries);
      expect(first).not.toContain(0);
      expect(new Set(first).size).toBe(entries.length);
      expect(slotsOf(format, entries.toReversed())).toEqual(first.toReversed());
      expect(host.request().resources.map(({ kind }) => kind.text)).toEqual(["photo", "photo", "album"]);
    });

    it("is not misled by what stood behind the entry before the last time", () => {
      const first = entry("album");
      const short = { actions: ["view"], resource: { kind: "photo", id: "1", attr: {} } };
      const long = { actions: ["view"], resource: { kind: "photo", scope: "acme", id: "1" } };
      for (let turn = 0; turn < 3; turn++) slotsOf(format, [first, short]);
      slotsOf(format, [first, long]);
      const slots = slotsOf(format, [first, long]);
      expect(slots).not.toContain(0);
      expect(slotsOf(format, [long, first])).toEqual(slots.toReversed());
    });

    it.each([
      ["says more behind its id", { actions: ["view"], resource: { kind: "late", id: "1", scope: "acme" } }],
      ["has its resource first", { resource: { kind: "turned", id: "1" }, actions: ["view"] }],
      [
        "has many actions",
        { actions: ["a", "b", "c", "d", "e", "f", "g"], resource: { kind: "busy", id: "1" } },
      ],
      ["is long", { actions: ["a".repeat(30), "b"], resource: { kind: "k".repeat(140), id: "1" } }],
    ])("knows nothing of an entry that %s", (_, odd) => {
      expect(slotsOf(format, [odd])).toEqual([0]);
      expect(slotsOf(format, [odd])).toEqual([0]);
    });

    it("does not take a slot from an entry of the same request", () => {
      const kinds = Array.from({ length: 3000 }, (_, index) => `kind_${index}`);
      // Far more than there are slots in one request, whose entries that find their set full have none, and others in the next.
      for (const some of [kinds.slice(0, 2000), kinds.slice(2000)]) {
        const entries = some.map((kind) => entry(kind));
        const slots = slotsOf(format, entries).filter((slot) => slot !== 0);
        expect(host.request().resources.map(({ kind }) => kind.text)).toEqual(some);
        expect(new Set(slots).size).toBe(slots.length);
        expect(slots.length).toBeGreaterThan(some.length / 40);
      }
    });
  });

  it("takes msgpack for no JSON", () => {
    slotsOf("json", [entry("shared")]);
    const packed = slotsOf("msgpack", [entry("shared")]);
    expect(slotsOf("json", [entry("shared")])).not.toEqual(packed);
  });

  it("keeps to the limit of actions that holds", () => {
    const actions = ["view", "edit", "share"];
    const request = body("json", [{ actions, resource: { kind: "limited", id: "1" } }]);
    expect(host.decode("json", request, { maxActions: 3 }).status).toBe(0);
    const refused = host.decode("json", request, { maxActions: 2 });
    expect(refused.detail).toBe(3);
    expect(refused.offset).toBe(Buffer.from(request).indexOf('["view"'));
  });
});
