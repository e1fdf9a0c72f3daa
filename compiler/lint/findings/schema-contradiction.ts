/**
 * A condition that disagrees with the policy's schemas: it reads an attribute that no valid request has, or compares one with
 * a value that no valid request gives it. Looks at the first level of attributes, and at conditions of resource policies.
 */
import type { CelExpr } from "../../cel/expression.ts";
import { placeOf } from "../../cel/source-place.ts";
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { CelSource, JsonValue, ResourcePolicy } from "../../policy/policy-set.ts";
import { attributeOf, type Subject } from "../attributes.ts";
import { scalar } from "../constant-value.ts";
import { nodesOf, type Review, sourcesOf } from "../review.ts";
import { objectSchema, type ObjectSchema, typesOf, valuesOf } from "../schemas.ts";

type Schemas = Readonly<Record<Subject, ObjectSchema | undefined>>;

export function schemaContradiction(review: Review): readonly Diagnostic[] {
  return review.set.resourcePolicies.flatMap((policy) => {
    const schemas = {
      P: objectSchema(policy.principalSchema, review.set.schemas),
      R: objectSchema(policy.resourceSchema, review.set.schemas),
    };
    if (schemas.P === undefined && schemas.R === undefined) return [];
    const found: Diagnostic[] = [];
    for (const [source, expr] of expressionsOf(policy, review)) found.push(...judge(source, expr, schemas));
    return found;
  });
}

function* expressionsOf(
  { rules, names }: ResourcePolicy,
  { expressions }: Review,
): Generator<readonly [CelSource, CelExpr]> {
  const sources = [
    ...(names?.variables.values() ?? []),
    ...rules.flatMap(({ condition }) => [...sourcesOf(condition)]),
  ];
  for (const source of sources) {
    const expr = expressions.get(source);
    if (expr !== undefined) yield [source, expr];
  }
}

function* judge(source: CelSource, expr: CelExpr, schemas: Schemas): Generator<Diagnostic> {
  for (const node of nodesOf(expr)) {
    const attribute = attributeOf(node);
    if (attribute !== undefined) {
      const schema = schemas[attribute.subject];
      if (schema === undefined || !schema.closed || schema.properties.has(attribute.name)) continue;
      const { place, length } = placeOf(source, node.span);
      yield diagnose("EDICT7011", { schema: schema.id, attribute: attribute.name }, place, length);
    } else if (node.kind === "call" && node.function === "_==_") {
      yield* compared(source, node, schemas);
    }
  }
}

function* compared(
  source: CelSource,
  node: CelExpr & { readonly kind: "call" },
  schemas: Schemas,
): Generator<Diagnostic> {
  const [left, right] = node.args;
  if (left === undefined || right === undefined) return;
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const attribute = attributeOf(one);
    const value = scalar(other, { source });
    const schema = attribute === undefined ? undefined : schemas[attribute.subject];
    if (attribute === undefined || value === undefined || schema === undefined) continue;
    const expected = expectation(schema.properties.get(attribute.name), value);
    if (expected === undefined) continue;
    const { place, length } = placeOf(source, node.span);
    const shown = typeof value === "string" ? `\`${value}\`` : String(value);
    const params = {
      attribute: `${attribute.subject}.attr.${attribute.name}`,
      value: shown,
      schema: schema.id,
      expected,
    };
    yield diagnose("EDICT7012", params, place, length);
  }
}

/** What a property is instead of being `value`, in words; undefined when it may be that. */
function expectation(
  property: JsonValue | undefined,
  value: string | number | bigint | boolean,
): string | undefined {
  const values = valuesOf(property);
  const plain = typeof value === "bigint" ? Number(value) : value;
  if (values !== undefined) {
    return values.includes(plain) ? undefined : `one of ${JSON.stringify(values)}`;
  }
  const types = typesOf(property);
  if (types === undefined) return undefined;
  const fits = types.some((type) => {
    if (type === "integer") return typeof plain === "number" && Number.isInteger(plain);
    return type === typeof plain;
  });
  return fits ? undefined : types.join(" or ");
}
