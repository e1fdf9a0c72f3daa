/** docs/errors.md, written from the tables of codes, so that the page and the tables cannot differ. */
import type { CodeEntry } from "./code-table.ts";
import { codes } from "./codes.ts";

const STAGES: Readonly<Record<string, readonly [title: string, about: string]>> = {
  "1": ["Files and syntax", "Reading a policy directory, and YAML or JSON that is not well formed."],
  "2": [
    "Policies",
    "Fields, names, imports, scopes and everything else that a policy says outside its expressions.",
  ],
  "3": ["Expressions", "CEL in conditions, variables and outputs."],
  "4": ["Decision program", "Lowering the checked policies to the program that decides."],
  "5": ["Emitted code", "Writing the program as AssemblyScript."],
  "6": ["Bundles", "Building and signing the file that is served."],
  "7": ["Review", "What `edict lint` says of policies that are valid and yet probably not what was meant."],
};

/** The whole page. */
export function errorsPage(): string {
  const lines = [
    "# Diagnostics",
    "",
    "Every problem that `edict compile` reports has a code that never changes its meaning. The first digit is the stage that",
    "found it. `{…}` marks what is filled in. This page is written from `compiler/diagnostics/*-codes.ts` by",
    "`npx vitest run test/compiler/diagnostics -u`.",
  ];
  const entries = Object.entries<CodeEntry>(codes).sort(([a], [b]) => (a < b ? -1 : 1));
  let stage = "";
  for (const [code, { message, help, severity }] of entries) {
    const digit = code.charAt("EDICT".length);
    if (digit !== stage) {
      stage = digit;
      const [title, about] = STAGES[digit] ?? ["Other", ""];
      lines.push("", `## EDICT${digit}xxx: ${title}`, "", about);
    }
    const kind = severity === "warning" ? "Warning: " : "";
    lines.push("", `### ${code}`, "", `${kind}${message}`, "", `*Mend it:* ${help}`);
  }
  return `${lines.join("\n")}\n`;
}
