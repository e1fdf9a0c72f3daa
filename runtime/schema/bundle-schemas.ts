/** The schemas section of a bundle: which schemas policies attach to requests, and the documents of `_schemas/`. */
import { BundleError } from "../errors.ts";

/** One schema of a policy. */
export interface SchemaUse {
  readonly ref: string;
  /** Globs over actions. */
  readonly ignoreActions: readonly string[];
}

export interface SchemaSet {
  readonly principal?: SchemaUse;
  readonly resource?: SchemaUse;
}

export interface BundleSchemas {
  /** The guest names them by index + 1. */
  readonly sets: readonly SchemaSet[];
  /** By id: the path below `_schemas/`. */
  readonly documents: ReadonlyMap<string, unknown>;
}

/** Reads the section. Throws `BundleError` when it is not one. */
export function readSchemas(section: Uint8Array | null): BundleSchemas {
  if (section === null) return { sets: [], documents: new Map() };
  try {
    const { sets, documents } = JSON.parse(new TextDecoder().decode(section)) as {
      sets: SchemaSet[];
      documents: Record<string, unknown>;
    };
    if (!Array.isArray(sets)) throw new TypeError("`sets` is not a list");
    return { sets, documents: new Map(Object.entries(documents)) };
  } catch (error) {
    throw new BundleError("the schemas section of the bundle cannot be read", { cause: error });
  }
}
