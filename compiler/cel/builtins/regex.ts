/** The regex extension (cel-go ext regex); `matches`, which is of the language itself, stands with the strings. */
import { INT, STRING, listOf, optionalOf } from "../types.ts";
import { globals, type Overload } from "./overload.ts";

export const regex: readonly Overload[] = [
  ...globals("regex.replace", "regexReplace3", [[STRING, STRING, STRING], STRING]),
  ...globals("regex.replace", "regexReplace4", [[STRING, STRING, STRING, INT], STRING]),
  ...globals("regex.extract", "regexExtract", [[STRING, STRING], optionalOf(STRING)]),
  ...globals("regex.extractAll", "regexExtractAll", [[STRING, STRING], listOf(STRING)]),
];
