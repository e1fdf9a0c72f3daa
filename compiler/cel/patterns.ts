/** Whether regular expressions written as literals are well-formed. What they match is decided in the guest (assembly/regex). */
import { RE2JS } from "@bufbuild/re2";

/**
 * What is wrong with a pattern, as Go's regexp package words it; undefined when nothing is, or when only the names of groups
 * or Unicode classes are disputed: Cerbos takes more of them than this library, and a wrong one fails when it is used.
 */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isDisputed = /duplicate capture group name|class range: `\\[pP]/.test(message);
    return isDisputed ? undefined : message.replace("error parsing regexp: ", "");
  }
}
