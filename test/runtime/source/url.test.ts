/** Bundles behind a URL: what is asked of the origin, what is taken from it, and what a daemon does when it fails. */
import { writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FetchedBundle } from "../../../runtime/source/source.ts";
import { UrlSource, type UrlSourceOptions } from "../../../runtime/source/url-source.ts";
import { Daemon, IS_BUILT, temporaryDirectory } from "../support/daemon.ts";
import { Origin, servedBy, TestVersions, untilServes } from "./support.ts";

const NEVER = new AbortController().signal;

/** Longer than any machine stands still. */
const PATIENT = { connectMs: 60_000, headMs: 60_000, silenceMs: 60_000, totalMs: 120_000 };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let origin: Origin;

beforeEach(async () => {
  directory = await temporaryDirectory();
  origin = await Origin.start();
});

afterEach(async () => {
  await origin.kill();
  await directory.remove();
});

function sourceOf(options: Partial<UrlSourceOptions> = {}): UrlSource {
  return new UrlSource({
    url: origin.url,
    tokenFile: null,
    pollIntervalMs: 50,
    maxBytes: 1024 * 1024,
    limits: PATIENT,
    ...options,
  });
}

async function bytesOf(result: Promise<FetchedBundle | "unchanged">): Promise<string> {
  const fetched = await result;
  return fetched === "unchanged" ? fetched : Buffer.from(fetched.bytes).toString();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("asking an origin for a bundle", () => {
  const bytes = new TextEncoder().encode("as good as a bundle here".repeat(1000));

  it("is sent the validator of what it has, and takes 304 for unchanged", async () => {
    origin.publish(bytes);
    const source = sourceOf();
    expect(await bytesOf(source.fetch(NEVER))).toBe(Buffer.from(bytes).toString());
    expect(await source.fetch(NEVER)).toBe("unchanged");
    expect(origin.statuses).toEqual([200, 304]);
    source.forget();
    expect(await bytesOf(source.fetch(NEVER))).toBe(Buffer.from(bytes).toString());
    expect(origin.requests.at(-1)?.["if-none-match"]).toBeUndefined();
  });

  it("knows the same bytes again without a validator", async () => {
    origin.publish(bytes);
    origin.intercept = (_, response) => {
      response.writeHead(200).end(bytes);
      return true;
    };
    const source = sourceOf();
    await source.fetch(NEVER);
    expect(await source.fetch(NEVER)).toBe("unchanged");
  });

  // What came of the question counted as given all the same, so that the next answer was: unchanged.
  it("gives the bytes again when they are forgotten while they come", async () => {
    origin.publish(bytes);
    const source = sourceOf();
    origin.intercept = () => {
      source.forget();
      return false;
    };
    await source.fetch(NEVER);
    origin.intercept = () => false;
    expect(await bytesOf(source.fetch(NEVER))).toBe(Buffer.from(bytes).toString());
    expect(await source.fetch(NEVER)).toBe("unchanged");
  });

  it("counts the bytes as they come, whatever was said about them", async () => {
    origin.intercept = (_, response) => {
      response.writeHead(200);
      const more = (): void => void response.write(Buffer.alloc(64 * 1024), more);
      more();
      return true;
    };
    await expect(sourceOf().fetch(NEVER)).rejects.toMatchObject({ code: "EDICT_BUNDLE_TOO_LARGE" });
  });

  it("takes no answer that is packed, cut off, or silent", async () => {
    origin.publish(bytes);
    origin.intercept = (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(bytes);
      return true;
    };
    await expect(sourceOf().fetch(NEVER)).rejects.toMatchObject({ code: "EDICT_SOURCE_REFUSED" });
    origin.intercept = () => false;
    origin.mode = "cut";
    await expect(sourceOf().fetch(NEVER)).rejects.toMatchObject({ code: "EDICT_SOURCE_UNREACHABLE" });
    origin.mode = "hang";
    const impatient = sourceOf({ limits: { ...PATIENT, headMs: 300 } });
    await expect(impatient.fetch(NEVER)).rejects.toMatchObject({
      code: "EDICT_SOURCE_TIMEOUT",
      message: "the head of the answer did not come in time",
    });
    origin.mode = "trickle";
    const restless = sourceOf({ limits: { ...PATIENT, silenceMs: 300 } });
    await expect(restless.fetch(NEVER)).rejects.toMatchObject({
      code: "EDICT_SOURCE_TIMEOUT",
      message: "the answer stopped in the middle",
    });
    const hurried = sourceOf({ limits: { ...PATIENT, totalMs: 300 } });
    await expect(hurried.fetch(NEVER)).rejects.toMatchObject({
      code: "EDICT_SOURCE_TIMEOUT",
      message: "the answer took too long",
    });
    origin.mode = "error";
    await expect(sourceOf().fetch(NEVER)).rejects.toMatchObject({
      code: "EDICT_SOURCE_REFUSED",
      message: "the answer has status 503",
    });
  });

  it("ends when it is told to", async () => {
    origin.mode = "hang";
    const abort = new AbortController();
    const source = sourceOf();
    const fetched = source.fetch(abort.signal);
    setTimeout(() => abort.abort(), 50);
    await expect(fetched).rejects.toThrow();
  });

  it("reads the token for every question, and refuses one that is none without naming it", async () => {
    origin.publish(bytes);
    const tokenFile = join(directory.path, "token");
    await writeFile(tokenFile, "  one\n");
    const source = sourceOf({ tokenFile });
    await source.fetch(NEVER);
    await writeFile(tokenFile, "two");
    await source.fetch(NEVER);
    expect(origin.requests.map(({ authorization }) => authorization)).toEqual(["Bearer one", "Bearer two"]);
    await writeFile(tokenFile, "se\ncret");
    const failure = await source.fetch(NEVER).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "EDICT_SOURCE_CREDENTIALS" });
    expect(String(failure)).not.toContain("cret");
  });

  it("follows few redirects, takes the token to no other origin, and never changes the scheme", async () => {
    origin.publish(bytes);
    const other = await Origin.start();
    other.publish(bytes);
    const tokenFile = join(directory.path, "token");
    await writeFile(tokenFile, "secret");
    const redirect = (location: string): void => {
      origin.intercept = (request, response) => {
        if (request.url !== "/policies.edict") return false;
        response.writeHead(302, { location }).end();
        return true;
      };
    };
    try {
      redirect("/elsewhere");
      await sourceOf({ tokenFile }).fetch(NEVER);
      expect(origin.requests.at(-1)?.authorization).toBe("Bearer secret");
      redirect(other.url);
      expect(await bytesOf(sourceOf({ tokenFile }).fetch(NEVER))).toBe(Buffer.from(bytes).toString());
      expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
      redirect("https://127.0.0.1:1/policies.edict");
      await expect(sourceOf().fetch(NEVER)).rejects.toThrow(/redirects from `http:` to `https:`/);
      redirect("/policies.edict");
      await expect(sourceOf().fetch(NEVER)).rejects.toThrow("redirects too often");
    } finally {
      await other.kill();
    }
  });

  it("is asked to wait, and asked again at once when it does", async () => {
    origin.mode = "long-poll";
    origin.publish(bytes);
    // So rarely asked otherwise that only waiting can bring it.
    const source = sourceOf({ pollIntervalMs: 3_600_000 });
    const seen: string[] = [];
    const take = async (): Promise<void> => {
      const fetched = await source.fetch(NEVER);
      if (fetched !== "unchanged") seen.push(Buffer.from(fetched.bytes).toString());
    };
    const stop = source.watch(() => void take());
    try {
      await source.fetch(NEVER);
      for (const text of ["one", "two", "three"]) {
        while (origin.requests.filter(({ prefer }) => prefer === "wait=25").length <= seen.length) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        origin.publish(new TextEncoder().encode(text));
        while (seen.at(-1) !== text) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(seen).toEqual(["one", "two", "three"]);
    } finally {
      stop();
    }
  });

  describe("that takes long to answer", () => {
    const text = new TextEncoder();
    /** So rarely asked otherwise that only waiting can bring it. */
    let source: UrlSource;
    /** What `fetch` gave, or why it did not. */
    let seen: string[];
    /** The first question that may be held back. */
    let held: ServerResponse | null;
    let stop: () => void;

    const take = async (): Promise<void> => {
      const outcome = bytesOf(source.fetch(NEVER)).catch(
        (error: unknown) => (error as { code: string }).code,
      );
      seen.push(await outcome);
    };

    /** Has the source take version 1 and ask for the next one, which is not answered. */
    beforeEach(async () => {
      origin.mode = "long-poll";
      origin.publish(text.encode("version 1"));
      held = null;
      origin.intercept = (request, response) => {
        if (held !== null || request.headers["prefer"] !== "wait=25") return false;
        held = response;
        return true;
      };
      seen = [];
      source = sourceOf({ pollIntervalMs: 3_600_000 });
      stop = source.watch(() => void take());
      await take();
      await until(() => held !== null);
    });

    afterEach(() => stop());

    // It was judged by the validator that there was at the end: "the answer has status 304".
    it("gives the bytes anew when they are forgotten meanwhile, whatever comes of the question", async () => {
      source.forget();
      held?.writeHead(304, { "preference-applied": "wait" }).end();
      await until(() => seen.length > 1);
      expect(seen).toEqual(["version 1", "version 1"]);
    });

    // The late answer was taken for news: version 2 served after version 3.
    it("is not gone back with when something else was given meanwhile", async () => {
      held?.writeHead(200, { etag: '"2"', "preference-applied": "wait" }).write("version");
      origin.publish(text.encode("version 3"));
      await take();
      const asked = origin.requests.length;
      held?.end(" 2");
      await until(() => origin.requests.length > asked);
      expect(seen).toEqual(["version 1", "version 3"]);
      origin.publish(text.encode("version 4"));
      await until(() => seen.length > 2);
      expect(seen).toEqual(["version 1", "version 3", "version 4"]);
    });
  });

  it("is asked again and again while it fails, until it is well", async () => {
    await origin.kill();
    const source = sourceOf({ pollIntervalMs: 3_600_000 });
    const results: string[] = [];
    const stop = source.watch(() => {
      source.fetch(NEVER).then(
        (fetched) => results.push(fetched === "unchanged" ? fetched : "bundle"),
        (error: unknown) => results.push((error as { code: string }).code),
      );
    });
    try {
      await expect(source.fetch(NEVER)).rejects.toMatchObject({ code: "EDICT_SOURCE_UNREACHABLE" });
      while (results.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(new Set(results)).toEqual(new Set(["EDICT_SOURCE_UNREACHABLE"]));
      origin.publish(bytes);
      await origin.start();
      while (results.at(-1) !== "bundle") await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      stop();
    }
  });
});

describe.skipIf(!IS_BUILT)("a daemon with a URL", () => {
  let versions: TestVersions;
  const daemons: Daemon[] = [];

  beforeAll(async () => {
    versions = await TestVersions.compile();
  });

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop();
  });

  async function start(...more: string[]): Promise<Daemon> {
    const daemon = await Daemon.start("--bundle", origin.url, ...more);
    daemons.push(daemon);
    return daemon;
  }

  it("does not start without a bundle, and says why", async () => {
    await origin.kill();
    await expect(start()).rejects.toThrow(/ECONNREFUSED/);
    await expect(start("--state-dir", join(directory.path, "state"))).rejects.toThrow(/ECONNREFUSED/);
  });

  it("keeps serving through everything that an origin can do, and follows when it is well again", async () => {
    origin.publish(versions.get(1).bytes);
    const daemon = await start("--poll-interval", "100ms", "--threads", "2");
    const failure = async (text: string): Promise<void> => {
      await daemon.until(async () => JSON.stringify(await daemon.json("/healthz")).includes(text));
      expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);
    };
    origin.mode = "error";
    await failure("status 503");
    origin.mode = "cut";
    origin.publish(versions.get(2).bytes);
    await failure("EDICT_SOURCE_UNREACHABLE");
    origin.mode = "ok";
    origin.publish(versions.get(2).bytes.subarray(0, 3000));
    await failure("EDICT_BUNDLE_MALFORMED");
    const flipped = versions.get(2).bytes.slice();
    flipped[flipped.length - 9] = (flipped[flipped.length - 9] ?? 0) ^ 1;
    origin.publish(flipped);
    await failure("EDICT_BUNDLE_DIGEST");
    origin.publish(new Uint8Array(0));
    await failure("too short to be a bundle");
    origin.publish(versions.get(0).bytes);
    await failure("EDICT_BUNDLE_ROLLBACK");
    await origin.kill();
    await failure("ECONNREFUSED");
    origin.publish(versions.get(2).bytes);
    await origin.start();
    await untilServes(daemon, versions.get(2));
    await daemon.until(async () => JSON.stringify(await daemon.json("/healthz")).includes('"ok":true'));
  });

  it("goes back only to the bundle that was named", async () => {
    const state = join(directory.path, "state");
    origin.publish(versions.get(5).bytes);
    await (await start("--state-dir", state)).stop();
    origin.publish(versions.get(3).bytes);
    const other = versions.get(2).digest.slice(0, 12);
    const stubborn = await start("--state-dir", state, "--allow-rollback-to", other);
    expect(versions.get(5).digest).toContain((await servedBy(stubborn)).digest);
    await stubborn.stop();
    const named = versions.get(3).digest.slice(0, 12);
    const willing = await start("--state-dir", state, "--allow-rollback-to", named);
    // An origin that is slow to answer gives way to the kept version for a moment.
    await untilServes(willing, versions.get(3));
    await willing.stop();
    // What serves is kept by name, so that it serves without its source, too, and without being named again.
    await origin.kill();
    const alone = await start("--state-dir", state);
    expect(versions.get(3).digest).toContain((await servedBy(alone)).digest);
  });
});
