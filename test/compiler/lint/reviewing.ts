/** Small policy sets for tests of findings: texts in, findings out as `CODE file:line:column`. */
import { lint } from "../../../compiler/lint/index.ts";
import type { Files } from "../policy/policies.ts";

/** What lint says of these files. */
export function findings(files: Files): string[] {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  return lint(sources).map(({ code, place: { file, line, column } }) => `${code} ${file}:${line}:${column}`);
}

/** The messages alone. */
export function messages(files: Files): string[] {
  return lint(Object.entries(files).map(([path, text]) => ({ path, text }))).map(({ message }) => message);
}

/** The rules of a resource policy, one flow mapping per rule. */
export function rules(...lines: string[]): string {
  return `  rules:\n${lines.map((line) => `    - {${line}}\n`).join("")}`;
}
