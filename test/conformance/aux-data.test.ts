/**
 * corpus/auxdata: every key set either loads or is refused with the text that the case names, from a file, as inline data,
 * and (but for PEM) from a URL. A remote set is fetched when it is first needed, so there a token asks for the keys.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TokenVerifier } from "../../runtime/aux-data/token-verifier.ts";
import { TokenError } from "../../runtime/errors.ts";
import { CORPUS, corpusCases, NO_CORPUS } from "../support/corpus.ts";
import { auxDataOptions, type KeyServer, startKeyServer } from "../support/tokens.ts";

interface KeySetCase {
  readonly input: { readonly key: string; readonly pem?: boolean };
  readonly wantErr?: string;
  readonly wantLocalErr?: string;
  readonly wantRemoteErr?: string;
}

const CASES = corpusCases<KeySetCase>("auxdata", "cases");

/** A token that no key can have signed: what matters is whether keys were found to try. */
const TOKEN = [{ alg: "RS256", kid: "cerbos-test" }, {}, "x"]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".");

describe.skipIf(CORPUS === undefined)(
  CORPUS === undefined ? `corpus/auxdata (${NO_CORPUS})` : "corpus/auxdata",
  () => {
    let directory: string;
    let server: KeyServer;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "edict-keys-"));
      server = await startKeyServer();
    });
    afterAll(async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    });

    it.each(CASES)("$name, local", async ({ data }) => {
      const { key, pem = false } = data.input;
      const file = join(directory, "keys");
      await writeFile(file, key);
      for (const source of [
        { kind: "file", file, pem },
        { kind: "data", data: key, pem },
      ] as const) {
        const started = TokenVerifier.start(auxDataOptions(source));
        const problem = await started.then(
          () => "",
          (error: Error) => error.message,
        );
        const want = data.wantErr ?? data.wantLocalErr;
        if (want === undefined) expect(problem).toBe("");
        else expect(problem).toContain(want);
      }
    });

    it.each(CASES.filter(({ data }) => data.input.pem !== true))("$name, remote", async ({ data }) => {
      server.body = data.input.key;
      const verifier = await TokenVerifier.start(
        auxDataOptions({ kind: "remote", url: server.url, refreshSeconds: 3600 }),
      );
      const problem: unknown = await verifier
        .verify([{ name: null, token: TOKEN, keySetId: "" }])
        .catch((error: unknown) => error);
      verifier.close();
      if (!(problem instanceof TokenError)) throw new Error("the token was accepted");
      const want = data.wantErr ?? data.wantRemoteErr;
      if (want === undefined) expect(problem.reason).not.toContain("remote keyset");
      else expect(problem.reason).toContain(want);
    });
  },
);
