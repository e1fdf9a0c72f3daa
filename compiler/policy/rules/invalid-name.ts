/** Variables and constants have names that CEL can select: identifiers that are not reserved. */
import type { NamedValue } from "../decode/field.ts";
import type { Reader } from "../decode/spot.ts";
import type { Definition } from "../registry.ts";

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

const RESERVED: ReadonlySet<string> = new Set(["false", "in", "null", "true"]);

export function invalidName({ message, reader }: Definition): void {
  const kinds = [message.resourcePolicy, message.principalPolicy, message.rolePolicy, message.derivedRoles];
  for (const policy of kinds) {
    check("variable", policy?.variables?.local, reader);
    check("constant", policy?.constants?.local, reader);
  }
  check("variable", message.variables, reader);
  check("variable", message.exportVariables?.definitions, reader);
  check("constant", message.exportConstants?.definitions, reader);
}

function check(
  kind: "variable" | "constant",
  definitions: readonly NamedValue<unknown>[] | undefined,
  reader: Reader,
): void {
  for (const { key, spot } of definitions ?? []) {
    if (RESERVED.has(key)) {
      reader.atKey("EDICT2202", { name: key, kind }, spot);
    } else if (!IDENTIFIER.test(key)) {
      reader.atKey("EDICT2201", { name: key, kind }, spot);
    }
  }
}
