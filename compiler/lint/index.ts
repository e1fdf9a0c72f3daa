/**
 * `edict lint`: what a careful reviewer would say of policies that compile.
 *
 * Input: the source files, as for `compile`.
 * Output: findings as diagnostics of severity `warning`, sorted by file and place. Sources with errors are not
 * reviewed: their errors are all that is returned.
 * Fails with: nothing of its own; never throws for what is in the sources.
 */
import { check } from "../cel/index.ts";
import { compareDiagnostics } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { plan } from "../index.ts";
import { load, type SourceFile } from "../load/index.ts";
import { resolve } from "../policy/index.ts";
import { constantCondition } from "./findings/constant-condition.ts";
import { fallibleDeny } from "./findings/fallible-deny.ts";
import { openAllow } from "./findings/open-allow.ts";
import { overriddenRule } from "./findings/overridden-rule.ts";
import { schemaContradiction } from "./findings/schema-contradiction.ts";
import { unusedDerivedRole } from "./findings/unused-derived-role.ts";
import { unusedImport } from "./findings/unused-import.ts";
import { unusedName } from "./findings/unused-name.ts";
import { unusedSchema } from "./findings/unused-schema.ts";
import { type Review, reviewOf } from "./review.ts";

/** One thing a reviewer looks for. */
export type Finding = (review: Review) => readonly Diagnostic[];

const FINDINGS: readonly Finding[] = [
  openAllow,
  overriddenRule,
  constantCondition,
  unusedDerivedRole,
  unusedName,
  unusedImport,
  unusedSchema,
  schemaContradiction,
  fallibleDeny,
];

/** Reviews policy files. Each thing is said once, however many policies it concerns. */
export function lint(sources: readonly SourceFile[]): readonly Diagnostic[] {
  const { diagnostics } = plan(sources);
  if (diagnostics.some(({ severity }) => severity === "error")) return diagnostics;
  const loaded = load(sources);
  const { set } = resolve(loaded);
  const review = reviewOf(loaded, set, check(set).expressions);
  const found = new Map<string, Diagnostic>();
  for (const diagnostic of [...diagnostics, ...FINDINGS.flatMap((finding) => finding(review))]) {
    const { code, message, place } = diagnostic;
    found.set(JSON.stringify([code, message, place.file, place.line, place.column]), diagnostic);
  }
  return [...found.values()].sort(compareDiagnostics);
}
