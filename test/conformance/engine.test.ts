/**
 * corpus/engine: every case under every scope search mode it names. A CheckInput becomes one CheckResources request.
 * Decision logs and evaluation errors are not compared: no response shows them.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import { differences } from "../differential/compare.ts";
import type {
  Attributes,
  CheckRequest,
  OutputEntry,
  Principal,
  Resource,
} from "../differential/interpreter/request.ts";
import { CORPUS, corpusCases, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { sourcesFrom, TARGETS, unlessKnown, type KnownFailures, type Prepared } from "./targets.ts";

interface EngineCase {
  readonly config: {
    readonly scopeSearch: readonly ("strict" | "lenient")[];
    readonly schemaEnforcement: "none" | "warn" | "reject";
    readonly globals: Attributes;
    readonly defaultPolicyVersion: string;
    readonly defaultScope: string;
    readonly strictEvaluation?: boolean;
  };
  readonly inputs: readonly {
    readonly requestId: string;
    readonly actions: readonly string[];
    readonly principal: Principal;
    readonly resource: Resource;
    readonly auxData?: { readonly jwt?: Attributes };
  }[];
  readonly wantOutputs: readonly {
    readonly requestId: string;
    readonly resourceId: string;
    readonly actions: Readonly<Record<string, { effect: string; policy: string; scope?: string }>>;
    readonly effectiveDerivedRoles?: readonly string[];
    readonly validationErrors?: readonly JsonValue[];
    readonly outputs?: readonly OutputEntry[];
  }[];
}

const KNOWN_FAILURES: KnownFailures = {};

const CASES = corpusCases<EngineCase>("engine", "cases");

/** The wanted output as the response that HTTP would give. */
function wanted(test: EngineCase, index: number): unknown {
  const want = test.wantOutputs[index];
  const input = test.inputs[index];
  if (want === undefined || input === undefined) throw new Error(`no wanted output ${index}`);
  const { attr: _, ...resource } = input.resource;
  const effects = Object.entries(want.actions);
  return {
    requestId: want.requestId,
    results: [
      {
        resource,
        actions: Object.fromEntries(effects.map(([action, { effect }]) => [action, effect])),
        meta: {
          actions: Object.fromEntries(
            effects.map(([action, { policy, scope }]) => [
              action,
              { matchedPolicy: policy, ...(scope ? { matchedScope: scope } : {}) },
            ]),
          ),
          ...(want.effectiveDerivedRoles ? { effectiveDerivedRoles: want.effectiveDerivedRoles } : {}),
        },
        ...(want.outputs ? { outputs: want.outputs } : {}),
        ...(want.validationErrors ? { validationErrors: want.validationErrors } : {}),
      },
    ],
  };
}

function requestOf({
  requestId,
  actions,
  principal,
  resource,
  auxData,
}: EngineCase["inputs"][number]): CheckRequest {
  return {
    requestId,
    includeMeta: true,
    principal,
    resources: [{ actions, resource }],
    ...(auxData === undefined ? {} : { auxData }),
  };
}

describe.skipIf(CORPUS === undefined)(
  CORPUS === undefined ? `corpus/engine (${NO_CORPUS})` : "corpus/engine",
  () => {
    describe.each(TARGETS)("on $name", (target) => {
      let prepared: Prepared;
      beforeAll(async () => {
        prepared = await target.prepare(await sourcesFrom(corpusPath("store", "policies")));
      });
      const cases =
        target.name === "interpreter"
          ? CASES.filter(({ data }) => data.config.schemaEnforcement === "none")
          : CASES;
      const runs = cases.flatMap(({ name, data }) =>
        data.config.scopeSearch.map((mode) => ({ name, mode, data })),
      );
      it.each(runs)("$name, $mode scope search", async ({ name, mode, data }) => {
        await unlessKnown(KNOWN_FAILURES, name, async () => {
          const answer = await prepared.withSettings({
            onError: data.config.strictEvaluation === true ? "strict" : "compatible",
            defaultPolicyVersion: data.config.defaultPolicyVersion,
            defaultScope: data.config.defaultScope,
            globals: data.config.globals,
            lenientScopeSearch: mode === "lenient",
            schemaEnforcement: data.config.schemaEnforcement,
          });
          const found = data.inputs.flatMap((input, index) =>
            differences(answer(requestOf(input)), wanted(data, index)).map(
              (line) => `inputs[${index}] ${line}`,
            ),
          );
          expect(found).toEqual([]);
        });
      });
    });
  },
);
