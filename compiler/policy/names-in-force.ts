/**
 * The variables and constants that a policy's expressions can use: imported, local and (deprecated) top-level ones,
 * merged. Policies that only import share one `Names`, so that equal texts stay equal for the later stages.
 */
import type { JsonValue, CelSource, Names } from "./policy-set.ts";
import type { Text } from "./decode/field.ts";
import type { ConstantsMessage, VariablesMessage } from "./decode/policy-message.ts";
import { contentPlace, type Reader, type Spot } from "./decode/spot.ts";
import { moduleKey } from "./names.ts";
import type { Definition } from "./registry.ts";
import { redefinedName, type NameDefinition } from "./rules/redefined-name.ts";

interface Named<T> extends NameDefinition {
  readonly name: string;
  readonly value: T;
}

export class NamesInForce {
  private readonly modules: ReadonlyMap<string, Definition>;
  /** By the list of imports, for policies without definitions of their own. */
  private readonly imported: Map<string, Names>;
  private readonly version: (key: string) => string;

  /**
   * @param modules policies that are imported, by key
   * @param imported kept by a caller that resolves again
   * @param version of a module; tells the names of its versions apart in `imported`
   */
  constructor(
    modules: ReadonlyMap<string, Definition>,
    imported = new Map<string, Names>(),
    version: (key: string) => string = () => "",
  ) {
    this.modules = modules;
    this.imported = imported;
    this.version = version;
  }

  /** The names of one policy. Reports names with several definitions. */
  of(definition: Definition): Names {
    const { message, reader } = definition;
    const policy =
      message.resourcePolicy ?? message.principalPolicy ?? message.rolePolicy ?? message.derivedRoles;
    const local = policy?.variables?.local?.length ?? 0;
    const own = local + (policy?.constants?.local?.length ?? 0) + (message.variables?.length ?? 0);
    const cacheKey =
      own > 0 ? undefined : this.importsKey(policy?.variables?.import, policy?.constants?.import);
    const cached = cacheKey === undefined ? undefined : this.imported.get(cacheKey);
    if (cached !== undefined) {
      return cached;
    }
    const variables = [...this.variables(policy?.variables, reader), ...topLevel(definition)];
    const constants = this.constants(policy?.constants, reader);
    const clashes =
      reportClashes("variable", variables, reader) + reportClashes("constant", constants, reader);
    const names = assemble(variables, constants);
    if (cacheKey !== undefined && clashes === 0) {
      this.imported.set(cacheKey, names);
    }
    return names;
  }

  private importsKey(variables: readonly Text[] = [], constants: readonly Text[] = []): string {
    return JSON.stringify([
      variables.map(({ value }) => [value, this.version(moduleKey("export_variables", value))]),
      constants.map(({ value }) => [value, this.version(moduleKey("export_constants", value))]),
    ]);
  }

  private variables(message: VariablesMessage | undefined, reader: Reader): Named<string>[] {
    const found: Named<string>[] = [];
    for (const { value: name, spot } of message?.import ?? []) {
      const source = this.modules.get(moduleKey("export_variables", name));
      for (const { key, value } of source?.message.exportVariables?.definitions ?? []) {
        const base = { name: key, value: value.value, origin: `import \`${name}\``, spot: value.spot };
        found.push({ ...base, reader: source?.reader ?? reader, mention: spot });
      }
    }
    for (const { key, value } of message?.local ?? []) {
      const base = { name: key, value: value.value, origin: "local variables", spot: value.spot };
      found.push({ ...base, reader, mention: value.spot });
    }
    return found;
  }

  private constants(message: ConstantsMessage | undefined, reader: Reader): Named<JsonValue>[] {
    const found: Named<JsonValue>[] = [];
    for (const { value: name, spot } of message?.import ?? []) {
      const source = this.modules.get(moduleKey("export_constants", name));
      for (const { key, value, spot: at } of source?.message.exportConstants?.definitions ?? []) {
        const base = { name: key, value: value.json, origin: `import \`${name}\``, spot: at };
        found.push({ ...base, reader: source?.reader ?? reader, mention: spot });
      }
    }
    for (const { key, value, spot } of message?.local ?? []) {
      found.push({ name: key, value: value.json, origin: "local constants", spot, reader, mention: spot });
    }
    return found;
  }
}

function topLevel({ message, reader }: Definition): Named<string>[] {
  return (message.variables ?? []).map(({ key, value: { value, spot } }) => {
    return { name: key, value, origin: "top-level variables", spot, reader, mention: spot };
  });
}

/** Number of names with several definitions, all reported. */
function reportClashes(
  kind: "variable" | "constant",
  all: readonly Named<unknown>[],
  reader: Reader,
): number {
  const byName = new Map<string, Named<unknown>[]>();
  for (const definition of all) {
    const group = byName.get(definition.name);
    if (group === undefined) {
      byName.set(definition.name, [definition]);
    } else {
      group.push(definition);
    }
  }
  let clashes = 0;
  for (const [name, definitions] of byName) {
    clashes += definitions.length > 1 ? 1 : 0;
    redefinedName(kind, name, definitions, reader);
  }
  return clashes;
}

function assemble(variables: readonly Named<string>[], constants: readonly Named<JsonValue>[]): Names {
  const sources = new Map<string, CelSource>();
  const values = new Map<string, JsonValue>();
  const names: Names = { variables: sources, constants: values };
  for (const { name, value, spot, reader } of variables) {
    if (!sources.has(name)) {
      sources.set(name, celSource(value, spot, reader, names));
    }
  }
  for (const { name, value } of constants) {
    if (!values.has(name)) {
      values.set(name, value);
    }
  }
  return names;
}

/** An expression as it stands in a document. */
export function celSource(text: string, spot: Spot, { document }: Reader, names: Names): CelSource {
  return { text, place: contentPlace(document, spot), names };
}
