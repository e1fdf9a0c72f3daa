/**
 * corpus/schema: attributes against schemas, with exactly the errors that Cerbos reports; and which references load. Checks run on
 * release WASM through the engine, and are denied where there are errors. The cases of query plans run with the rule for
 * plans: what a resource lacks is not an error there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import type { SourceFile } from "../../compiler/load/index.ts";
import { SchemaValidator, type ValidationError } from "../../runtime/schema/validator.ts";
import type { SchemaUse } from "../../runtime/schema/bundle-schemas.ts";
import { CORPUS, corpusCases, NO_CORPUS } from "../support/corpus.ts";
import { ask, CORE_IS_BUILT, engineOf } from "../support/engines.ts";

interface Reference {
  readonly ref: string;
  readonly ignoreWhen?: { readonly actions: readonly string[] };
}

interface Input {
  readonly action?: string;
  readonly actions?: readonly string[];
  readonly principal: { readonly attr?: unknown };
  readonly resource: { readonly attr?: unknown };
}

interface SchemaCase {
  readonly schemaRefs: { readonly principalSchema?: Reference; readonly resourceSchema?: Reference };
  readonly checkInput?: Input;
  readonly planResourcesInput?: Input;
  readonly wantValidationErrors?: readonly ValidationError[];
}

/** Loads that edict refuses on purpose: a schema comes from the bundle, never from elsewhere on the machine. */
const NOT_FROM_THE_BUNDLE: ReadonlySet<string> = new Set(["schema_from_file_url"]);

const CASES = corpusCases<SchemaCase>("schema", "cases");

describe.skipIf(CORPUS === undefined)(
  CORPUS === undefined ? `corpus/schema (${NO_CORPUS})` : "corpus/schema",
  () => {
    const documents =
      CORPUS === undefined
        ? new Map<string, unknown>()
        : readDocuments(join(CORPUS, "schema", "fs", "_schemas"));

    const checks = CASES.filter(({ data }) => data.checkInput !== undefined);
    it.runIf(CORE_IS_BUILT).each(checks.map(({ name, data }) => [name, data] as const))(
      "%s, on WASM",
      async (_, { schemaRefs, checkInput, wantValidationErrors = [] }) => {
        const engine = await engineOf(sourcesOf(documents, schemaRefs), { schemaEnforcement: "reject" });
        const actions = checkInput?.actions ?? [checkInput?.action ?? ""];
        const request = {
          principal: { id: "p", roles: ["user"], attr: checkInput?.principal.attr ?? {} },
          resources: [{ actions, resource: { kind: "doc", id: "d", attr: checkInput?.resource.attr ?? {} } }],
        };
        for (const format of ["json", "msgpack"] as const) {
          const answer = ask(engine, request, format);
          if ("failure" in answer) throw new Error(answer.failure);
          const [result] = answer.response.results as readonly {
            readonly actions: Readonly<Record<string, string>>;
            readonly validationErrors?: readonly ValidationError[];
          }[];
          expect(sorted(result?.validationErrors ?? [])).toEqual(sorted(wantValidationErrors));
          const effect = wantValidationErrors.length > 0 ? "EFFECT_DENY" : "EFFECT_ALLOW";
          expect(Object.values(result?.actions ?? {})).toEqual(actions.map(() => effect));
        }
      },
    );

    const plans = CASES.filter(({ data }) => data.planResourcesInput !== undefined);
    it.each(plans.map(({ name, data }) => [name, data] as const))("%s", (_, { schemaRefs, ...data }) => {
      const { principalSchema, resourceSchema } = schemaRefs;
      const input = data.planResourcesInput;
      if (input === undefined) throw new Error("the case has no input");
      const set = {
        ...(principalSchema === undefined ? {} : { principal: use(principalSchema) }),
        ...(resourceSchema === undefined ? {} : { resource: use(resourceSchema) }),
      };
      const validator = new SchemaValidator({ sets: [set], documents });
      const actions = input.actions ?? [input.action ?? ""];
      const found = validator.validate(0, actions, input.principal.attr ?? {}, input.resource.attr ?? {});
      const planned = found.filter(
        ({ source, message }) => source === "SOURCE_PRINCIPAL" || !message.startsWith("missing properties"),
      );
      expect(sorted(planned)).toEqual(sorted(data.wantValidationErrors ?? []));
    });

    const loads =
      CORPUS === undefined
        ? []
        : (JSON.parse(readFileSync(join(CORPUS, "schema", "load.json"), "utf8")) as {
            name: string;
            url: string;
            wantErr: boolean;
          }[]);
    it.each(loads.map((one) => [one.name, one] as const))(
      "loads or refuses: %s",
      (name, { url, wantErr }) => {
        const validator = new SchemaValidator({
          sets: [{ resource: { ref: url, ignoreActions: [] } }],
          documents,
        });
        const failed = validator
          .validate(0, ["a"], {}, {})
          .some(({ message }) => message.startsWith("Failed to load"));
        expect(failed).toBe(wantErr || NOT_FROM_THE_BUNDLE.has(name));
      },
    );
  },
);

/** The documents, and one policy with the schemas that allows everything. */
function sourcesOf(
  documents: ReadonlyMap<string, unknown>,
  schemas: SchemaCase["schemaRefs"],
): readonly SourceFile[] {
  const rules = [{ actions: ["*"], roles: ["user"], effect: "EFFECT_ALLOW" }];
  const policy = { resource: "doc", version: "default", schemas, rules };
  return [
    ...[...documents].map(([id, document]) => ({
      path: `_schemas/${id}`,
      text: JSON.stringify(document),
    })),
    {
      path: "doc.json",
      text: JSON.stringify({ apiVersion: "api.cerbos.dev/v1", resourcePolicy: policy }),
    },
  ];
}

function use({ ref, ignoreWhen }: Reference): SchemaUse {
  return { ref, ignoreActions: ignoreWhen?.actions ?? [] };
}

function sorted(errors: readonly ValidationError[]): string[] {
  return errors.map((error) => JSON.stringify([error.source, error.path ?? "", error.message])).sort();
}

function readDocuments(root: string): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    try {
      found.set(relative(root, file), JSON.parse(readFileSync(file, "utf8")));
    } catch {
      found.set(relative(root, file), "not JSON");
    }
  }
  return found;
}
