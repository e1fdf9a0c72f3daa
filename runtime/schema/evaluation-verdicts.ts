/**
 * Schema verdicts for AuthZEN bodies: as verdicts.ts for checks, with one verdict per evaluation. What is validated is what the
 * policies see: the properties of the request over those that are stored.
 */
import { Unpackr } from "msgpackr";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import type { EntityLookup } from "../directory/entity-lookup.ts";
import { Budget, stepsFor } from "./budget.ts";
import type { SchemaValidator } from "./validator.ts";
import { readBody, verdictBlock, withObjects } from "./verdicts.ts";

interface Entity {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly properties?: unknown;
}

interface Evaluation {
  readonly subject?: Entity;
  readonly resource?: Entity;
  readonly action?: { readonly name?: unknown };
}

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: "number" });
const encoder = new TextEncoder();

/** As `verdictsFor`; `sets` has one number per evaluation, and one for a body that is one evaluation. */
export function evaluationVerdicts(
  validator: SchemaValidator,
  bytes: Uint8Array,
  formats: { readonly input: number; readonly output: number },
  sets: Uint32Array,
  rejects: boolean,
  entities: EntityLookup | null,
): Uint8Array {
  const body = readBody(bytes, formats.input === FORMAT_JSON) as Evaluation & {
    readonly evaluations?: unknown;
  };
  const items = Array.isArray(body.evaluations) && body.evaluations.length > 0 ? body.evaluations : null;
  const evaluations = (items ?? [body]) as readonly Evaluation[];
  // A body that is asked about as one evaluation has one set, whatever else it holds.
  const counted = sets.length === 1 && items !== null && items.length !== 1 ? [body] : evaluations;
  if (counted.length !== sets.length) throw new TypeError("the evaluations of a decoded body cannot be read");
  const budget = new Budget(stepsFor(sets.length));
  return verdictBlock(sets, formats.output, rejects, (set, index) => {
    const { subject = body.subject, resource = body.resource, action = body.action } = counted[index] ?? {};
    const name = typeof action?.name === "string" ? [action.name] : [];
    const principal = propertiesOf("subject", subject, entities);
    return validator.validate(set, name, principal, propertiesOf("resource", resource, entities), budget);
  });
}

function propertiesOf(
  kind: "subject" | "resource",
  entity: Entity | undefined,
  entities: EntityLookup | null,
): unknown {
  const own = entity?.properties ?? {};
  if (entities === null || typeof entity?.type !== "string" || typeof entity.id !== "string") return own;
  const stored = entities.properties(kind, encoder.encode(entity.type), encoder.encode(entity.id));
  if (stored === null) return own;
  return { ...(withObjects(unpackr.unpack(stored)) as object), ...own };
}
