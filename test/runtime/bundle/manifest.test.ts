/** The manifest: its sources are parsed on demand where they have the compiler's form, and come to the same in every other. */
import { describe, expect, it } from "vitest";
import { ABI_VERSION, BUNDLE_FORMAT_VERSION, IMAGE_BASE } from "../../../assembly/abi.ts";
import { type BundleManifest, parseManifest } from "../../../runtime/bundle/manifest.ts";
import { BundleError } from "../../../runtime/errors.ts";

const DIGEST = "0123456789abcdef".repeat(4);

const HEAD = {
  formatVersion: BUNDLE_FORMAT_VERSION,
  abiVersion: ABI_VERSION,
  compiler: "edict 0.1.0",
  policyDigest: DIGEST,
};
const TAIL = {
  memory: { fixed: IMAGE_BASE + 8 },
  functions: { conditions: 0, outputs: 0 },
  attributes: [],
  counts: { rules: 1 },
  schemas: { used: false },
};

function parse(manifest: unknown): BundleManifest {
  return parseManifest(
    new TextEncoder().encode(typeof manifest === "string" ? manifest : JSON.stringify(manifest)),
  );
}

/** Whether the sources wait to be asked for. */
function isLazy(manifest: BundleManifest): boolean {
  return !Object.keys(manifest).includes("sources");
}

describe("parseManifest", () => {
  it.each([
    [
      "plain paths",
      [
        { path: "a.yaml", digest: DIGEST },
        { path: "b/é.yaml", digest: DIGEST },
      ],
      true,
    ],
    ["a path with a quote", [{ path: 'a".yaml', digest: DIGEST }], false],
    ["no sources", [], false],
    ["a path over two lines", [{ path: "a\n.yaml", digest: DIGEST }], false],
    ["a short digest", [{ path: "a.yaml", digest: "x" }], true],
    ["further fields", [{ path: "a.yaml", digest: DIGEST, size: 1 }], false],
  ])("reads %s", (_, sources, lazy) => {
    const manifest = parse({ ...HEAD, sources, ...TAIL });
    expect(isLazy(manifest)).toBe(lazy);
    expect(manifest.sources).toEqual(sources.map(({ path, digest }) => ({ path, digest })));
    expect(manifest).toMatchObject({ policyDigest: DIGEST, counts: { rules: 1 }, sequence: null });
  });

  it("reads sources wherever they stand", () => {
    const sources = [{ path: "a.yaml", digest: DIGEST }];
    for (const manifest of [
      parse({ sources, ...HEAD, ...TAIL }),
      parse(JSON.stringify({ ...HEAD, sources, ...TAIL }, null, 2)),
    ]) {
      expect(isLazy(manifest)).toBe(false);
      expect(manifest.sources).toEqual(sources);
    }
  });

  it("takes the last of several lists of sources, like JSON.parse", () => {
    const text = JSON.stringify({ ...HEAD, sources: [{ path: "a", digest: DIGEST }], ...TAIL });
    const twice = `${text.slice(0, -1)},"sources":[{"path":"b","digest":"c"}]}`;
    expect(parse(twice).sources).toEqual([{ path: "b", digest: "c" }]);
  });

  it("refuses sources of another form, and what follows them when it is no JSON", () => {
    const text = JSON.stringify({ ...HEAD, sources: [{ path: "a", digest: DIGEST }], ...TAIL });
    expect(() => parse({ ...HEAD, sources: [{ path: "a" }], ...TAIL })).toThrow(/sources\.digest/);
    expect(() => parse({ ...HEAD, sources: { path: "a" }, ...TAIL })).toThrow(/sources/);
    expect(() => parse(text.replace('"}],"memory"', '"},],"memory"'))).toThrow(BundleError);
    expect(() => parse(text.replace('"}],"memory"', '"}]"memory"'))).toThrow(BundleError);
    expect(() => parse(text.replace('"path":"a"', '"path":"\n"'))).toThrow(/not valid JSON/);
    expect(() => parse(text.slice(0, -1))).toThrow(/not valid JSON/);
  });

  it("stands very long paths", () => {
    const path = "x".repeat(4_000_000);
    const manifest = parse({ ...HEAD, sources: [{ path, digest: DIGEST }], ...TAIL });
    expect(manifest.sources[0]?.path).toBe(path);
  });
});
