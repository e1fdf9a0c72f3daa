/** A variable, and a constant, has one definition in a policy: local, imported or (deprecated) at the top level. */
import { valuePlace, type Reader, type Spot } from "../decode/spot.ts";

/** One definition of a name, in the words of the message. */
export interface NameDefinition {
  /** As in "import `common`". */
  readonly origin: string;
  readonly spot: Spot;
  readonly reader: Reader;
  /** Where the importing or defining policy says so: what the report points at. */
  readonly mention: Spot;
}

/** @param reader the policy in which the definitions meet */
export function redefinedName(
  kind: "variable" | "constant",
  name: string,
  definitions: readonly NameDefinition[],
  reader: Reader,
): void {
  if (definitions.length < 2) {
    return;
  }
  const places = definitions.map(({ origin, spot, reader: { document } }) => {
    const { file, line, column } = valuePlace(document, spot);
    return `${origin} (${file}:${line}:${column})`;
  });
  // The definition that came last is the one to rename; an import can be pointed at as a whole only.
  const own = definitions.findLast((definition) => definition.reader === reader) ?? definitions.at(-1);
  if (own !== undefined) {
    const code = kind === "variable" ? "EDICT2203" : "EDICT2204";
    reader.atKey(code, { name, places: places.join(", ") }, own.mention);
  }
}
