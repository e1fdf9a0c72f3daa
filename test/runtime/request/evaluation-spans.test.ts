/** Where the items of an AuthZEN body stand, in both formats, whatever stands around and in them. */
import * as fc from "fast-check";
import { Packr, unpack } from "msgpackr";
import { describe, expect, it } from "vitest";
import {
  type EvaluationSpans,
  spansOfJson,
  spansOfMsgpack,
} from "../../../runtime/request/evaluation-spans.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const value = fc.jsonValue({ maxDepth: 4 });
const body = fc
  .tuple(fc.dictionary(fc.string(), value), fc.array(value), fc.dictionary(fc.string(), value))
  .map(([before, evaluations, after]) => {
    const { evaluations: _one, ...head } = before;
    const { evaluations: _other, ...tail } = after;
    return { evaluations, whole: { ...head, evaluations, ...tail } };
  });

function textsOf(bytes: Uint8Array, spans: EvaluationSpans | null): Uint8Array[] {
  return (spans?.items ?? []).map(({ start, end }) => bytes.subarray(start, end));
}

describe("spansOfJson", () => {
  it("finds every item of any body", () => {
    fc.assert(
      fc.property(body, fc.constantFrom(0, 1, "\t"), ({ evaluations, whole }, indent) => {
        const bytes = encode(JSON.stringify(whole, null, indent));
        const spans = spansOfJson(bytes);
        const items = textsOf(bytes, spans).map(
          (text) => JSON.parse(Buffer.from(text).toString("utf8")) as unknown,
        );
        // As JSON.stringify writes it: -0 is 0.
        expect(items).toEqual(JSON.parse(JSON.stringify(evaluations)));
        const list = bytes.subarray(spans?.list.start, spans?.list.end);
        expect(JSON.parse(Buffer.from(list).toString("utf8"))).toEqual(items);
      }),
    );
  });

  it("knows an escaped key", () => {
    const spans = spansOfJson(encode(String.raw` { "x" : "\\\"" , "\u0065valuations":[ 1 , [2,"]"] ] } `));
    expect(spans?.items).toHaveLength(2);
  });

  it("gives up on bodies without items, and ends on any bytes", () => {
    for (const text of [
      "",
      "[]",
      "{}",
      '{"evaluations":{}}',
      '{"a":{"evaluations":[1]}}',
      '{"evaluations":[1',
    ]) {
      expect([text, spansOfJson(encode(text))]).toEqual([text, null]);
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        spansOfJson(encode(`{"evaluations":[${text}`));
        spansOfJson(encode(text));
      }),
    );
  });
});

describe("spansOfMsgpack", () => {
  it("finds every item of any body", () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true });
    fc.assert(
      fc.property(body, ({ evaluations, whole }) => {
        const bytes = new Uint8Array(packr.pack(whole));
        const items = textsOf(bytes, spansOfMsgpack(bytes)).map((item) => unpack(item) as unknown);
        expect(items).toEqual(evaluations.map((item) => unpack(packr.pack(item)) as unknown));
      }),
    );
  });

  it("gives up on bodies without items, and ends on any bytes", () => {
    const packr = new Packr({ useRecords: false });
    for (const given of [{}, [], { evaluations: {} }, { a: { evaluations: [1] } }, { xevaluations: [1] }]) {
      expect(spansOfMsgpack(new Uint8Array(packr.pack(given)))).toBeNull();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        spansOfMsgpack(bytes);
        spansOfMsgpack(new Uint8Array([0x81, 0xab, ...encode("evaluations"), ...bytes]));
      }),
    );
  });
});
