/** What the rules about repeated names share: finding the second use of a name in a list. */
import type { Code } from "../diagnostics/codes.ts";
import type { Text } from "./decode/field.ts";
import { keyPlace, type Reader, type Spot } from "./decode/spot.ts";

/** Reports every entry whose name an earlier entry has. Unnamed entries do not count. */
export function reportRepeatedNames(
  code: Code,
  parameter: string,
  entries: readonly { readonly spot: Spot; readonly name: Text | undefined }[],
  reader: Reader,
): void {
  const first = new Map<string, Spot>();
  for (const { spot, name } of entries) {
    if (name === undefined || name.value === "") {
      continue;
    }
    const earlier = first.get(name.value);
    if (earlier === undefined) {
      first.set(name.value, spot);
    } else {
      const { line } = keyPlace(reader.document, earlier);
      reader.atKey(code, { [parameter]: name.value, line }, spot);
    }
  }
}
