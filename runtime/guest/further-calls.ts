/**
 * What happens when the guest answers a request with a question: for stored properties (STATUS_ENTITIES), for schema verdicts
 * (STATUS_SCHEMAS). The answer is put behind the body, and the request is decided anew, from its first byte.
 */
import {
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  STATUS_ENTITIES,
  STATUS_MEMORY,
  STATUS_SCHEMAS,
} from "../../assembly/abi.ts";
import type { EntityLookup } from "../directory/entity-lookup.ts";
import { readSchemas } from "../schema/bundle-schemas.ts";
import { evaluationVerdicts } from "../schema/evaluation-verdicts.ts";
import { SchemaValidator } from "../schema/validator.ts";
import { verdictsFor } from "../schema/verdicts.ts";
import type { Guest } from "./guest.ts";
import { storedProperties } from "./stored-properties.ts";

/** Bodies of the AuthZEN API. */
export const AUTHZEN_FLAGS: number = FLAG_EVALUATION | FLAG_EVALUATIONS;

/** One request as the guest is given it: FORMAT_* and FLAG_* of abi.ts, claims of its tokens. */
export interface GuestCall {
  readonly bytes: Uint8Array;
  readonly input: number;
  readonly output: number;
  readonly flags: number;
  readonly claims: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export class FurtherCalls {
  readonly #schemas: Uint8Array | null;
  readonly #rejects: boolean;
  #validator: SchemaValidator | null = null;

  /** `schemas` is the bundle's section; `rejects` says whether a violation denies. */
  constructor(schemas: Uint8Array | null, rejects: boolean) {
    this.#schemas = schemas;
    this.#rejects = rejects;
  }

  /** Compiles the schemas, so that no request waits for it. Throws `BundleError`. */
  compileSchemas(): SchemaValidator {
    this.#validator ??= new SchemaValidator(readSchemas(this.#schemas));
    return this.#validator;
  }

  /** The status that a request comes to which was answered `first`. */
  decide(guest: Guest, first: number, call: GuestCall, entities: EntityLookup | null): number {
    const { bytes, input, output, flags, claims } = call;
    let status = first;
    let stored: Uint8Array = NOTHING;
    if (status === STATUS_ENTITIES && entities !== null) {
      const found = storedProperties(guest, entities);
      if (found === null) return STATUS_MEMORY;
      stored = found;
      status = guest.decide(bytes, input, output, flags, claims, NOTHING, stored);
    }
    if (status === STATUS_SCHEMAS) {
      const verdicts = this.#verdicts(guest, call, entities);
      status = guest.decide(bytes, input, output, flags, claims, verdicts, stored);
    }
    return status;
  }

  #verdicts(
    guest: Guest,
    { bytes, input, output, flags }: GuestCall,
    entities: EntityLookup | null,
  ): Uint8Array {
    const validator = this.compileSchemas();
    const sets = guest.trace();
    const formats = { input, output };
    return (flags & AUTHZEN_FLAGS) === 0
      ? verdictsFor(validator, bytes, formats, sets, this.#rejects)
      : evaluationVerdicts(validator, bytes, formats, sets, this.#rejects, entities);
  }
}
