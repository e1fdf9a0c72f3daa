/**
 * corpus/server/authzen over HTTP against `edict serve` with the corpus's policies, schemas, limits and keys. Of the context of a batch's
 * items nothing is compared (Cerbos repeats the response to the whole batch in each), of a single evaluation's everything.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { differences } from "../differential/compare.ts";
import { CORPUS, corpusCases, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../support/daemon.ts";
import { unlessKnown, type KnownFailures } from "./targets.ts";

interface Decision {
  readonly decision: boolean;
  readonly context?: Readonly<Record<string, unknown>>;
}

interface AuthzenCase {
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
  readonly want: {
    readonly httpStatus: number;
    readonly error: boolean;
    readonly body: Partial<Decision> & { readonly evaluations?: readonly Decision[] };
  };
}

const KNOWN_FAILURES: KnownFailures = {};

const CASES = corpusCases<AuthzenCase>("server", "authzen");
const SKIP = CORPUS === undefined ? NO_CORPUS : DAEMON_IS_BUILT ? undefined : BUILD_DAEMON;

/** An answer without what is not compared. */
function decisions({ decision, evaluations }: AuthzenCase["want"]["body"]): unknown {
  return { decision, evaluations: evaluations?.map((one) => one.decision) };
}

describe.skipIf(SKIP !== undefined)(
  SKIP === undefined ? "corpus/server/authzen" : `corpus/server/authzen (${SKIP})`,
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

    it.each(CASES)("$name", async ({ name, data }) => {
      await unlessKnown(KNOWN_FAILURES, name, async () => {
        for (const format of ["json", "msgpack"] as const) {
          const { status, body } = await daemon.post(data.request.path, data.request.body, format);
          expect(status, JSON.stringify(body)).toBe(data.want.httpStatus);
          if (data.want.error) continue;
          const answer = body as AuthzenCase["want"]["body"];
          expect(decisions(answer)).toEqual(decisions(data.want.body));
          const wanted = data.want.body.context?.["cerbos.response"];
          if (wanted !== undefined) {
            expect(differences(answer.context?.["cerbos.response"], wanted)).toEqual([]);
          }
        }
      });
    });
  },
);
