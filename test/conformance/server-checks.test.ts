/**
 * corpus/server/checks over HTTP against `edict serve` with the corpus's policies and limits. Where a case wants an error
 * only the status matters. The deprecated endpoints are a later issue.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { differences } from "../differential/compare.ts";
import { CORPUS, corpusCases, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../support/daemon.ts";
import { unlessKnown, type KnownFailures } from "./targets.ts";

interface ServerCase {
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
  readonly want: { readonly httpStatus: number; readonly error: boolean; readonly body: unknown };
}

const KNOWN_FAILURES: KnownFailures = {};

/** Endpoints that edict does not serve: 404 whatever the case wants. */
const DEPRECATED = /^\/api\/(?:check|check_resource_batch)$/u;

const CASES = corpusCases<ServerCase>("server", "checks");
const SKIP = CORPUS === undefined ? NO_CORPUS : DAEMON_IS_BUILT ? undefined : BUILD_DAEMON;

describe.skipIf(SKIP !== undefined)(
  SKIP === undefined ? "corpus/server/checks" : `corpus/server/checks (${SKIP})`,
  () => {
    let daemon: Daemon;
    beforeAll(async () => {
      daemon = await startDaemon(["--policies", corpusPath("store", "policies")], {
        server: { requestLimits: { maxActionsPerResource: 5, maxResourcesPerRequest: 5 } },
        engine: { globals: { environment: "test" }, strictEvaluation: false },
        schema: { enforcement: "reject" },
        auxData: {
          jwt: {
            keySets: [{ id: "cerbos", local: { file: corpusPath("auxdata", "keys", "verify_key.jwk") } }],
          },
        },
      });
    });
    afterAll(() => daemon.stop());

    const served = CASES.filter(({ data }) => !DEPRECATED.test(data.request.path));
    it.each(served)("$name", async ({ name, data }) => {
      await unlessKnown(KNOWN_FAILURES, name, async () => {
        for (const format of ["json", "msgpack"] as const) {
          const { status, body } = await daemon.post(data.request.path, data.request.body, format);
          expect(status).toBe(data.want.httpStatus);
          if (!data.want.error) expect(differences(body, data.want.body)).toEqual([]);
        }
      });
    });

    const deprecated = CASES.filter(({ data }) => DEPRECATED.test(data.request.path));
    it.each(deprecated)("$name is not served", async ({ data }) => {
      expect((await daemon.post(data.request.path, data.request.body)).status).toBe(404);
    });
  },
);
