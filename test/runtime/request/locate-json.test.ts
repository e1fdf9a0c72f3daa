/** A byte offset in a refused JSON request is turned into line, column and field path. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { locateJson } from "../../../runtime/request/locate-json.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Serialises a value and notes the byte offset and path of every scalar and key. */
function serialise(
  value: unknown,
  space: string,
): { bytes: Uint8Array; tokens: { offset: number; path: string }[] } {
  let text = "";
  const tokens: { offset: number; path: string }[] = [];
  const note = (path: string): void => {
    tokens.push({ offset: Buffer.byteLength(text), path });
  };
  const write = (item: unknown, path: string): void => {
    if (Array.isArray(item)) {
      text += `[${space}`;
      for (const [index, inner] of item.entries()) {
        if (index > 0) text += `,${space}`;
        write(inner, `${path}[${index}]`);
      }
      text += `${space}]`;
    } else if (typeof item === "object" && item !== null) {
      text += `{${space}`;
      for (const [index, [key, inner]] of Object.entries(item).entries()) {
        if (index > 0) text += `${space},`;
        const here = /^[A-Za-z_][\w-]*$/.test(key)
          ? path === ""
            ? key
            : `${path}.${key}`
          : `${path}[${JSON.stringify(key)}]`;
        note(here);
        text += `${JSON.stringify(key)}${space}:${space}`;
        write(inner, here);
      }
      text += "}";
    } else {
      note(path);
      text += JSON.stringify(item);
    }
  };
  write(value, "");
  return { bytes: encode(text), tokens };
}

describe("locateJson", () => {
  it.each([
    ['{"principal":{"id":"a","foo":1}}', '"foo"', "principal.foo", 1, 24],
    ['{"resources":[{},{"actions":["x",5]}]}', "5", "resources[1].actions[1]", 1, 34],
    ['{\n  "principal": {\n    "id": 7\n  }\n}', "7", "principal.id", 3, 11],
    ['{"a b":{"é":!}}', "!", '["a b"]["é"]', 1, 14],
  ])("finds the path in %s", (text, marker, path, line, column) => {
    const offset = Buffer.byteLength(text.slice(0, text.indexOf(marker)));
    expect(locateJson(encode(text), offset)).toMatchObject({ path, line, column });
  });

  it("knows the path of every key and scalar of any document", () => {
    const space = fc.constantFrom("", " ", "\n", "\t \r\n");
    fc.assert(
      fc.property(fc.object({ maxDepth: 4, withNullPrototype: false }), space, (value, filler) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        const { bytes, tokens } = serialise(plain, filler);
        // Long keys are shortened in paths.
        const named = tokens.filter(({ path }) => path.length < 60);
        const found = named.map(({ offset }) => locateJson(bytes, offset));
        expect(found.map(({ path, offset }) => ({ path, offset }))).toEqual(
          named.map(({ path, offset }) => ({ path, offset })),
        );
      }),
      { numRuns: 150 },
    );
  });

  it("reports the token itself when the offset lies inside it", () => {
    const found = locateJson(encode('{"principal":{"id":"bad\\qescape"}}'), 24);
    expect(found).toMatchObject({ path: "principal.id", offset: 19, token: String.raw`"bad\qescape"` });
  });

  it("names the unfinished field of a truncated request", () => {
    const text = '{"principal":{"id":"x","roles":["a"';
    expect(locateJson(encode(text), text.length).path).toBe("principal.roles[0]");
  });

  it("tells attribute keys from fields", () => {
    expect(locateJson(encode('{"principal":{"attr":{"a":1,"a":2}}}'), 28)).toMatchObject({
      freeForm: true,
      key: "a",
    });
    expect(locateJson(encode('{"principal":{"id":"x","id":"y"}}'), 23)).toMatchObject({
      freeForm: false,
      key: "id",
    });
  });

  it("answers for any bytes and any offset, with a bounded answer", () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .string({
          unit: fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "\\", " ", "\n", "a", "1"),
          maxLength: 200,
        })
        .map(encode),
    );
    fc.assert(
      fc.property(hostile, fc.integer({ min: -5, max: 300 }), (bytes, offset) => {
        const found = locateJson(bytes, offset);
        expect(found.offset).toBeGreaterThanOrEqual(0);
        expect(found.offset).toBeLessThanOrEqual(bytes.length);
        expect(found.line).toBeGreaterThan(0);
        expect(found.column).toBeGreaterThan(0);
        expect(found.token.length).toBeLessThanOrEqual(65);
      }),
      { numRuns: 2000 },
    );
  });

  it("does not choke on deep or long input", () => {
    const deep = encode("[".repeat(1_000_000));
    expect(locateJson(deep, deep.length).path.length).toBeLessThan(1000);
    const long = encode(`{"${"k".repeat(1_000_000)}":!}`);
    expect(locateJson(long, long.length - 2).path.length).toBeLessThan(200);
  });
});
