/** Remote key sets against a real HTTP server that changes its keys, fails, stalls and sends too much. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RemoteKeySet } from "../../../runtime/aux-data/remote-key-set.ts";
import { parseToken } from "../../../runtime/aux-data/token.ts";
import { ServeError } from "../../../runtime/errors.ts";
import {
  type KeyServer,
  rawToken,
  type SigningKey,
  signingKey,
  startKeyServer,
} from "../../support/tokens.ts";

const TIMES = { timeout: 10_000, firstRetry: 20, lastRetry: 100, cooldown: 0 };

let first: SigningKey;
let second: SigningKey;
let server: KeyServer;
let set: RemoteKeySet | undefined;

beforeEach(async () => {
  first = await signingKey("ES256", "first");
  second = await signingKey("ES256", "second");
  server = await startKeyServer(setOf(first));
});
afterEach(async () => {
  vi.restoreAllMocks();
  set?.close();
  await server.close();
});

const setOf = (...keys: readonly SigningKey[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
const tokenOf = (key: SigningKey) => parseToken(rawToken({ alg: key.alg, kid: key.kid }, {}, "AAAA"));

function open(refreshSeconds = 3600, times: Partial<typeof TIMES> = {}, url = server.url): RemoteKeySet {
  const source = { kind: "remote", url, refreshSeconds } as const;
  set = new RemoteKeySet(
    { id: "remote", source, optionalAlg: false, optionalKid: false },
    { ...TIMES, ...times },
  );
  return set;
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

const has = (keys: RemoteKeySet, key: SigningKey) =>
  keys.keysFor(tokenOf(key)).then(
    (found) => found.length === 1,
    () => false,
  );

describe("a remote key set", () => {
  it("is fetched once for many tokens", async () => {
    const keys = open(3600, { cooldown: 60_000 });
    await Promise.all(Array.from({ length: 50 }, () => keys.keysFor(tokenOf(first))));
    await expect(keys.keysFor(tokenOf(second))).rejects.toThrow("kid");
    expect(server.requests).toBe(1);
  });

  it("is fetched again in the background, with a new generation only for new keys", async () => {
    const keys = open(0.03, { cooldown: 60_000 });
    await keys.keysFor(tokenOf(first));
    await until(() => server.requests >= 3);
    expect(keys.generation).toBe(1);
    server.body = setOf(second);
    await until(() => has(keys, second));
    expect(keys.generation).toBe(2);
    expect(await has(keys, first)).toBe(false);
  });

  it("is fetched early for a token with an unknown key, but not more often than the cooldown", async () => {
    const cooldown = 60_000;
    const keys = open(3600, { cooldown });
    await keys.keysFor(tokenOf(first));
    server.body = setOf(first, second);
    expect(await has(keys, second)).toBe(false);
    expect(server.requests).toBe(1);
    const later = performance.now() + cooldown;
    const clock = vi.spyOn(performance, "now").mockReturnValue(later);
    expect(await has(keys, second)).toBe(true);
    const stranger = await signingKey("ES256", "stranger");
    clock.mockReturnValue(later + cooldown - 1);
    expect(await has(keys, stranger)).toBe(false);
    expect(server.requests).toBe(2);
  });

  it("keeps its last good keys through errors, nonsense and silence, and recovers", async () => {
    const keys = open(0.02, { cooldown: 60_000 });
    await keys.keysFor(tokenOf(first));
    const failures = [
      () => (server.status = 500),
      () => (server.body = "not json"),
      () => (server.body = setOf(first).replace('"alg"', '"gla"')),
      () => (server.body = `${setOf(second)}${" ".repeat(2 * 1024 * 1024)}`),
      () => {
        server.status = 302;
        server.headers = { location: server.url };
      },
    ];
    for (const fail of failures) {
      fail();
      const before = server.requests;
      await until(() => server.requests >= before + 2);
      expect(await has(keys, first)).toBe(true);
      expect(keys.generation).toBe(1);
      server.status = 200;
      server.headers = {};
      server.body = setOf(first);
    }
    server.body = setOf(second);
    await until(() => has(keys, second));
  });

  it("says why it has no keys, and gets them when the server is back", async () => {
    server.status = 503;
    const keys = open();
    await expect(keys.keysFor(tokenOf(first))).rejects.toThrow(
      "failed to look up remote keyset: the answer has status 503",
    );
    server.status = 200;
    await until(() => has(keys, first));
  });

  it("gives up on a server that does not answer", async () => {
    server.silent = true;
    await expect(open(3600, { timeout: 300 }).keysFor(tokenOf(first))).rejects.toThrow(
      "failed to look up remote keyset",
    );
  });

  it("backs off", async () => {
    server.status = 500;
    const timers = vi.spyOn(globalThis, "setTimeout");
    // Lengths that nobody else waits for.
    open(3600, { firstRetry: 13, lastRetry: 111 });
    const waits = (): unknown[] =>
      timers.mock.calls.map(([, ms]) => ms).filter((ms) => [13, 26, 52, 104, 111].includes(ms ?? 0));
    await until(() => waits().length >= 6);
    expect(waits().slice(0, 6)).toEqual([13, 26, 52, 104, 111, 111]);
    expect(server.requests).toBeGreaterThanOrEqual(6);
  });

  it("stops when it is closed", async () => {
    const keys = open(0.02);
    await keys.keysFor(tokenOf(first));
    keys.close();
    // What was on its way has arrived when what comes after it is answered.
    for (let round = 0; round < 2; round++) await (await fetch(server.url)).text();
    const reached = server.requests;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    expect(server.requests).toBe(reached);
  });

  it("needs an http or https URL", () => {
    for (const url of ["file:///etc/passwd", "nonsense", "ftp://x/"]) {
      expect(() => open(3600, {}, url)).toThrow(ServeError);
    }
  });
});
