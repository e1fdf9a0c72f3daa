/** Where requests are cut: between entries, and nowhere when that cannot be told. */
import { describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { cutRequest } from "../../../runtime/batch/cut.ts";
import { encodeRequest } from "./support.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const entry = (id: number): string => `{"actions":["view"],"resource":{"kind":"doc","id":"${id}"}}`;
const entries = (count: number): string => Array.from({ length: count }, (_, id) => entry(id)).join(",");

/** What each part of a JSON request is. */
function parts(request: string, count: number): readonly string[] | null {
  const bytes = new TextEncoder().encode(request);
  const cut = cutRequest(bytes, FORMAT_JSON, count);
  if (cut === null) return null;
  return cut.slices.map(({ from, to }) =>
    text(
      Buffer.concat([
        bytes.subarray(0, cut.headEnd),
        bytes.subarray(from, to),
        bytes.subarray(cut.tailStart),
      ]),
    ),
  );
}

describe("cutting a request", () => {
  it("divides its entries evenly, and keeps what stands around them", () => {
    expect(parts(`{"requestId":"r","resources":[${entries(4)}],"auxData":{}}`, 2)).toEqual([
      `{"requestId":"r","resources":[${entry(0)},${entry(1)}],"auxData":{}}`,
      `{"requestId":"r","resources":[${entry(2)},${entry(3)}],"auxData":{}}`,
    ]);
    expect(parts(`{"resources":[${entries(100)}]}`, 4)?.map((part) => part.match(/view/g)?.length)).toEqual([
      26, 25, 24, 25,
    ]);
  });

  it.each([
    ["an empty list", '{"resources":[]}'],
    ["one entry", `{"resources":[${entry(1)}]}`],
    ["no list", '{"resources":{}}'],
    ["another field of that name", `{"principal":{"attr":{"resources":[${entries(9)}]}}}`],
    ["a name with an escape", `{"r\\u0065sources":[${entries(9)}]}`],
    ["no object", `[${entries(9)}]`],
    ["no end", `{"resources":[${entries(9)}`],
    ["nothing", ""],
    ["a long field before it", `{"requestId":"${"x".repeat(70_000)}","resources":[${entries(9)}]}`],
  ])("leaves a request with %s whole", (_, request) => {
    expect(parts(request, 3)).toBeNull();
  });

  it("is not misled by brackets and quotes in strings before the entries", () => {
    const head = String.raw`{"requestId":"\"resources\":[{","principal":{"id":"]}\\","roles":["["]},"resources":[`;
    expect(
      parts(`${head}${entries(9)}]}`, 2)?.every((part) => part.startsWith(`${head}${entry(0).slice(0, 12)}`)),
    ).toBe(true);
  });

  it("finds the entries of msgpack, how many they are, and the fields behind them", () => {
    const resources = Array.from({ length: 40 }, (_, id) => JSON.parse(entry(id)) as object);
    for (const [request, head, tail] of [
      [{ requestId: "r", resources }, "requestId", ""],
      [
        { principal: { id: "resources" }, resources, auxData: { jwt: null }, includeMeta: true },
        "principal",
        "auxData",
      ],
    ] as const) {
      const bytes = encodeRequest(request, "msgpack");
      const cut = cutRequest(bytes, FORMAT_MSGPACK, 4);
      expect(cut?.entries).toBe(40);
      expect(cut?.slices).toHaveLength(4);
      expect(text(bytes.subarray(0, cut?.headEnd))).toMatch(new RegExp(`${head}[^]*resources$`));
      expect(text(bytes.subarray(cut?.tailStart)).slice(1, 1 + tail.length)).toBe(tail);
      expect(cut?.slices.every(({ from }) => text(bytes.subarray(from + 2, from + 9)) === "actions")).toBe(
        true,
      );
    }
    expect(cutRequest(Uint8Array.from([0x93, 1, 2, 3]), FORMAT_MSGPACK, 2)).toBeNull();
    expect(cutRequest(encodeRequest({ resources: {} }, "msgpack"), FORMAT_MSGPACK, 2)).toBeNull();
  });
});
