/** compiler/archive.ts through readSources, on archives made here byte by byte or by the system's tar */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { afterEach, expect, it } from "vitest";
import { type ReadOptions, readSources } from "../../compiler/directory.ts";

const homes: string[] = [];

afterEach(() => {
  for (const path of homes.splice(0)) rmSync(path, { recursive: true, force: true });
});

function home(): string {
  const path = mkdtempSync(join(tmpdir(), "edict-archive-"));
  homes.push(path);
  return path;
}

interface ZipOptions {
  readonly flags?: number;
  readonly method?: number;
  readonly claimed?: number;
  readonly mode?: number;
}

function zip(files: readonly (readonly [name: string, text: string])[], options: ZipOptions = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of files) {
    const method = options.method ?? 8;
    const data = method === 8 ? deflateRawSync(text) : Buffer.from(text);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record[5] = 3;
    record.writeUInt16LE(options.flags ?? 0, 8);
    record.writeUInt16LE(method, 10);
    record.writeUInt32LE(crc32(text), 16);
    record.writeUInt32LE(data.length, 20);
    record.writeUInt32LE(options.claimed ?? Buffer.byteLength(text), 24);
    record.writeUInt16LE(Buffer.byteLength(name), 28);
    record.writeUInt32LE(((options.mode ?? 0o100644) << 16) >>> 0, 38);
    record.writeUInt32LE(offset, 42);
    directory.push(record, Buffer.from(name));
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    locals.push(local, Buffer.from(name), data);
    offset += 30 + Buffer.byteLength(name) + data.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

async function read(name: string, bytes: Uint8Array, options: ReadOptions = {}): Promise<string[]> {
  const path = join(home(), name);
  writeFileSync(path, bytes);
  const { sources, diagnostics } = await readSources(path, options);
  return [
    ...sources.map((source) => source.path),
    ...diagnostics.map(({ code, message }) => `${code} ${message}`),
  ];
}

/** Longer than the name field of a tar header. */
const LONG = `long/${"d".repeat(90)}/${"x".repeat(90)}.yaml`;

const TREE = {
  "a/b.yaml": "b: 1",
  "UP.YAML": "up: 1",
  "_schemas/s.json": "{}",
  "testdata/t.yaml": "t: 1",
  "TestData/kept.yaml": "t: 1",
  "a_test.yaml": "t: 1",
  ".hidden/h.yaml": "h: 1",
  [LONG]: "long: 1",
};
const READ = ["TestData/kept.yaml", "UP.YAML", "_schemas/s.json", "a/b.yaml", LONG];

it("reads from a zip what it reads from the directory", async () => {
  expect(await read("p.zip", zip(Object.entries(TREE)))).toEqual(READ);
  expect(await read("p.zip", zip(Object.entries(TREE), { method: 0 }))).toEqual(READ);
});

it.each([
  ["p.tar", "ustar", ""],
  ["p.tar", "gnu", ""],
  ["p.tar", "pax", ""],
  ["p.tar.gz", "gnu", "z"],
  ["p.tgz", "pax", "z"],
])("reads the same from %s in format %s", async (name, format, gz) => {
  const directory = home();
  for (const [path, text] of Object.entries(TREE)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  const archive = join(home(), name);
  execFileSync("tar", [`-c${gz}f`, archive, `--format=${format}`, "-C", directory, "."]);
  const { sources, diagnostics } = await readSources(archive);
  expect(diagnostics).toEqual([]);
  expect(sources.map(({ path }) => path)).toEqual(READ);
  expect(sources.map(({ path, text }) => [path, text])).toContainEqual(["a/b.yaml", "b: 1"]);
});

it("reports a link in an archive instead of leaving the policy out", async () => {
  const directory = home();
  symlinkSync("../elsewhere.yaml", join(directory, "link.yaml"));
  const archive = join(home(), "p.tar");
  execFileSync("tar", ["-cf", archive, "-C", directory, "."]);
  const { diagnostics } = await readSources(archive);
  expect(diagnostics.map(({ code }) => code)).toEqual(["EDICT1001"]);
  expect(await read("p.zip", zip([["a.yaml", "/etc/passwd"]], { mode: 0o120777 }))).toEqual([
    "EDICT1001 cannot read `a.yaml`: not a regular file",
  ]);
});

it.each(["../a.yaml", "/a.yaml", "a/../../b.yaml", "a\\b.yaml", "x\0.yaml"])(
  "refuses the path %j",
  async (name) => {
    const [only = ""] = await read(
      "p.zip",
      zip([
        ["ok.yaml", "a: 1"],
        [name, "a: 1"],
      ]),
    );
    expect(only).toMatch(/^EDICT1001 .*points outside of the archive$/);
  },
);

it("refuses a path given twice, encryption, unknown methods and wrong sizes", async () => {
  const one = [["a.yaml", "a: 1"]] as const;
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [zip([...one, ["./a.yaml", "b: 1"]]), /given twice/],
    [zip(one, { flags: 1 }), /encrypted/],
    [zip(one, { method: 12 }), /method 12/],
    [zip(one, { claimed: 3 }), /more than 3 bytes/],
    [zip(one, { claimed: 5 }), /does not match/],
  ];
  for (const [bytes, reason] of cases) expect((await read("p.zip", bytes)).join()).toMatch(reason);
});

it("bounds what an archive unpacks to", async () => {
  const bomb = "x".repeat(100_000);
  expect(await read("p.zip", zip([["a.yaml", bomb]]), { maxFileBytes: 1000 })).toEqual([
    "EDICT1002 file is larger than 1000 bytes",
  ]);
  expect(
    (
      await read(
        "p.zip",
        zip([
          ["a.yaml", bomb],
          ["b.yaml", bomb],
        ]),
        { maxUnpackedBytes: 150_000 },
      )
    ).join(),
  ).toMatch(/unpacks to more than 150000 bytes/);
  expect(
    (await read("p.tgz", gzipSync(Buffer.alloc(1_000_000)), { maxUnpackedBytes: 10_000 })).join(),
  ).toMatch(/unpacks to more than 10000 bytes/);
  expect(
    (
      await read(
        "p.zip",
        zip([
          ["a", ""],
          ["b", ""],
        ]),
        { maxEntries: 1 },
      )
    ).join(),
  ).toMatch(/more than 1 entries/);
});

it("answers every damaged archive with policies or diagnostics", async () => {
  const whole = zip(Object.entries(TREE));
  for (let at = 0; at < whole.length; at += 7) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    expect((await read("p.zip", damaged)).length).toBeGreaterThan(0);
    expect((await read("p.zip", whole.subarray(0, at)))[0]).toMatch(/^EDICT1001/);
  }
  for (const name of ["p.tar", "p.tgz", "p.zip"]) {
    expect((await read(name, Buffer.from("no archive")))[0]).toMatch(/^EDICT1001/);
  }
});
