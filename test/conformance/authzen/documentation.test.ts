/**
 * The requests of docs/authzen.md get the answers that it prints, from the daemon that it tells to start; `"..."` stands for any text. And the
 * README's request, from the sample policies.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../../support/daemon.ts";

const local = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const TEXT = readFileSync(local("docs/authzen.md"), "utf8");

/** A command with a body, and the line after it. */
const EXAMPLE = /^ {4}curl -s http:\/\/127\.0\.0\.1:3592(\S+) [^\n]*-d '([^']*)'\n {4}(\{[^\n]*\})$/gmu;

interface Example {
  readonly path: string;
  readonly body: string;
  readonly answer: unknown;
}

const EXAMPLES: readonly Example[] = [...TEXT.matchAll(EXAMPLE)].map(
  ([, path = "", body = "", answer = ""]) => ({ path, body, answer: withWildcards(JSON.parse(answer)) }),
);

function withWildcards(value: unknown): unknown {
  if (value === "...") return expect.any(String);
  if (Array.isArray(value)) return value.map(withWildcards);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withWildcards(one)]));
}

describe.skipIf(!DAEMON_IS_BUILT)(
  DAEMON_IS_BUILT ? "docs/authzen.md" : `docs/authzen.md (${BUILD_DAEMON})`,
  () => {
    let daemon: Daemon;
    beforeAll(async () => {
      daemon = await startDaemon([
        "--policies",
        local("examples/authzen/policies"),
        "--directory",
        local("examples/authzen/directory.ndjson"),
      ]);
    });
    afterAll(() => daemon.stop());

    it("has an answer for every request", () => {
      expect(EXAMPLES.length).toBeGreaterThan(3);
      expect(EXAMPLES).toHaveLength(TEXT.match(/curl -s \S+ [^\n]*-d '/gu)?.length ?? 0);
    });

    it.each(EXAMPLES)("$path", async ({ path, body, answer }) => {
      expect((await daemon.post(path, body)).body).toEqual(answer);
    });
  },
);

describe.skipIf(!DAEMON_IS_BUILT)(DAEMON_IS_BUILT ? "README.md" : `README.md (${BUILD_DAEMON})`, () => {
  it("gets the decision that it prints for its evaluation", async () => {
    const text = readFileSync(local("README.md"), "utf8");
    const [, body = "", answer = ""] =
      /evaluation [^\n]*-d '([^']*)'\n\nThe answer is `([^`]*)`/u.exec(text) ?? [];
    const daemon = await startDaemon(["--policies", local("examples/policies")]);
    try {
      expect((await daemon.post("/access/v1/evaluation", body)).body).toEqual(JSON.parse(answer));
    } finally {
      await daemon.stop();
    }
  });
});
