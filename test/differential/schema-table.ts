/**
 * A table of JSON schemas and attributes with what the real Cerbos makes of them (schemas.yaml): the effect under enforcement
 * `reject`, and the validation errors. One policy per schema, one request per row. Recorded by record-schemas.ts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { SourceFile } from "../../compiler/load/index.ts";
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import type { Attributes, CheckRequest, CheckResponse } from "./interpreter/request.ts";

export const SCHEMAS = fileURLToPath(new URL("schemas.yaml", import.meta.url));

export interface SchemaRow {
  readonly attr: Attributes;
  readonly effect?: string;
  /** Path and message of every error, sorted: Cerbos's own order is random. */
  readonly errors?: readonly string[];
  /** Why edict answers otherwise than Cerbos; `effect` and `errors` are then edict's. */
  readonly differs?: string;
}

export interface SchemaGroup {
  readonly name: string;
  readonly schema: JsonValue;
  readonly rows: readonly SchemaRow[];
}

/** A document that schemas of the table refer to. */
const OTHER = { path: "_schemas/sub/other.json", text: JSON.stringify({ type: "string" }) };

export function readSchemaGroups(): readonly SchemaGroup[] {
  const groups: readonly SchemaGroup[] = parse(readFileSync(SCHEMAS, "utf8"));
  return groups;
}

/** Every schema with a policy that allows everything to whoever passes it. */
export function schemaSources(groups: readonly SchemaGroup[]): readonly SourceFile[] {
  const sources = groups.flatMap(({ name, schema }) => {
    const policy = {
      resource: name,
      version: "default",
      schemas: { resourceSchema: { ref: `cerbos:///${name}.json` } },
      rules: [{ actions: ["*"], roles: ["user"], effect: "EFFECT_ALLOW" }],
    };
    return [
      { path: `_schemas/${name}.json`, text: JSON.stringify(schema) },
      {
        path: `${name}.json`,
        text: JSON.stringify({ apiVersion: "api.cerbos.dev/v1", resourcePolicy: policy }),
      },
    ];
  });
  return [OTHER, ...sources];
}

export function schemaRequest(name: string, attr: Attributes): CheckRequest {
  return {
    requestId: "1",
    principal: { id: "u", roles: ["user"], attr: {} },
    resources: [{ actions: ["view"], resource: { kind: name, id: "1", attr } }],
  };
}

interface Result {
  readonly actions: Readonly<Record<string, string>>;
  readonly validationErrors?: readonly { readonly path?: string; readonly message: string }[];
}

/** Effect and errors of an answer, as the table has them. */
export function schemaResult(response: CheckResponse): {
  readonly effect: string;
  readonly errors: string[];
} {
  const [result] = response.results as readonly Result[];
  const errors = result?.validationErrors ?? [];
  return {
    effect: result?.actions["view"] ?? "none",
    errors: errors.map(({ path, message }) => `${path ?? ""} ${message}`).sort(),
  };
}
