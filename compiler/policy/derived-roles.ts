/** The derived roles of each derivedRoles policy, built once and shared by all policies that import them. */
import { toMatch } from "./expressions.ts";
import { keyPlace } from "./decode/spot.ts";
import type { Text } from "./decode/field.ts";
import { moduleKey } from "./names.ts";
import type { NamesInForce } from "./names-in-force.ts";
import type { DerivedRole } from "./policy-set.ts";
import type { Definition } from "./registry.ts";
import { ambiguousDerivedRole } from "./rules/ambiguous-derived-role.ts";
import { unknownDerivedRole } from "./rules/unknown-derived-role.ts";

export class DerivedRoles {
  /** By key of the derivedRoles policy, then by role name. */
  private readonly modules = new Map<string, ReadonlyMap<string, DerivedRole>>();

  /**
   * @param modules policies that are imported, by key
   * @param kept roles by `<key> <version>`, of a caller that resolves again; must hold none of a module with problems
   */
  constructor(
    modules: ReadonlyMap<string, Definition>,
    names: NamesInForce,
    kept: ReadonlyMap<string, ReadonlyMap<string, DerivedRole>> = new Map(),
    version: (key: string) => string = () => "",
  ) {
    for (const definition of modules.values()) {
      if (definition.kind === "derived_roles") {
        const { key } = definition;
        this.modules.set(key, kept.get(`${key} ${version(key)}`) ?? buildModule(definition, names));
      }
    }
  }

  /** The roles of every module, by its key. */
  get all(): ReadonlyMap<string, ReadonlyMap<string, DerivedRole>> {
    return this.modules;
  }

  /** The derived roles that a rule names, found through its policy's imports. Reports unknown and ambiguous ones. */
  resolve(roles: readonly Text[], imports: readonly Text[], { reader }: Definition): DerivedRole[] {
    const found: DerivedRole[] = [];
    // With an import missing the role may be defined there; the missing import is reported by itself.
    const complete = imports.every(({ value }) => this.modules.has(moduleKey("derived_roles", value)));
    for (const role of roles) {
      const candidates = imports.flatMap(({ value }) => {
        const candidate = this.modules.get(moduleKey("derived_roles", value))?.get(role.value);
        return candidate === undefined ? [] : [candidate];
      });
      const origins = candidates.map(({ origin }) => origin);
      ambiguousDerivedRole(role, origins, reader);
      if (complete) {
        unknownDerivedRole(role, origins, reader);
      }
      found.push(...candidates.slice(0, 1));
    }
    return found;
  }
}

function buildModule(definition: Definition, namesInForce: NamesInForce): ReadonlyMap<string, DerivedRole> {
  const { name: origin, message, reader } = definition;
  const names = namesInForce.of(definition);
  const roles = new Map<string, DerivedRole>();
  for (const { name, parentRoles, condition, spot } of message.derivedRoles?.definitions ?? []) {
    const match = toMatch(condition, reader, names);
    if (name !== undefined && !roles.has(name.value)) {
      roles.set(name.value, {
        name: name.value,
        origin,
        parentRoles: (parentRoles ?? []).map(({ value }) => value),
        ...(match === undefined ? {} : { condition: match }),
        names,
        place: keyPlace(reader.document, spot),
      });
    }
  }
  return roles;
}
