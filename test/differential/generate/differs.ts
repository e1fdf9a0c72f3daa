/**
 * Whether a difference is still there, for shrinking: the interpreter against the one who differed, with as little set-up
 * as that one needs.
 */
import { withPolicyDirectory } from "../../support/cases.ts";
import { startCerbos } from "../../support/cerbos.ts";
import { bundleOf } from "../../support/engines.ts";
import { programOf } from "../../support/programs.ts";
import { cerbosSettings } from "../cerbos-settings.ts";
import { differences } from "../compare.ts";
import { explanation, hasNoJsonForm } from "../defects.ts";
import { check } from "../interpreter/decide.ts";
import type { CheckResponse } from "../interpreter/request.ts";
import { embedded } from "./peers.ts";
import { filesOf, withSchemas } from "./schemas.ts";
import type { Finding } from "./shrink.ts";
import { onTheWire, UNVERIFIED } from "./tokens.ts";

/** What Cerbos answers to a finding's request; undefined when it refuses the policies. */
export async function cerbosAnswer({
  policies,
  settings,
  request,
}: Finding): Promise<{ status: number; body: CheckResponse }> {
  return withPolicyDirectory(filesOf(policies), async (directory) => {
    const cerbos = await startCerbos(directory, { ...cerbosSettings(settings), auxData: UNVERIFIED });
    try {
      return await cerbos.check(onTheWire(request));
    } finally {
      await cerbos.stop();
    }
  });
}

/** What kind of difference a line tells of: its path without names and places, and whether something was there at all. */
export function signature(line: string): string {
  const at = line.indexOf(": got");
  const [path, values] = [line.slice(0, at), line.slice(at)];
  const shape = values
    .replaceAll(
      /"[^"]*"/g,
      (text) => /^"(?:role|principal|resource|NO_MATCH|EFFECT_[A-Z]+)/.exec(text)?.[0] ?? "text",
    )
    .replaceAll(/\d+/g, "0");
  return `${path.replaceAll(/\[\d+\]|\.actions\.[^.]*(?=\.matched|$)/g, "")}${shape}`;
}

/** Whether the other's answer still differs from the interpreter's in the same way, and no defect explains it. */
export async function differs(finding: Finding, who: string, kinds: ReadonlySet<string>): Promise<boolean> {
  const { policies, request } = finding;
  const settings = { onError: "compatible", ...finding.settings } as const;
  const same = (lines: readonly string[]): boolean => lines.some((line) => kinds.has(signature(line)));
  const sources = filesOf(policies);
  const { program } = programOf(sources);
  if (program === undefined) return false;
  const now = BigInt(Date.now()) * 1_000_000n;
  const want = check(program, request, { ...withSchemas(program, settings), now });
  if (want.results.length === 0) return false;
  if (who === "Cerbos") {
    const { status, body } = await cerbosAnswer({ ...finding, settings });
    if (status >= 500) return !hasNoJsonForm(want);
    if (status !== 200 || !same(differences(body, want))) return false;
    return explanation(program, request, { ...withSchemas(program, settings), now }, body) === undefined;
  }
  const format = who.includes("msgpack") ? "msgpack" : "json";
  const bundle = await bundleOf(sources, who.startsWith("debug") ? "debug" : "release");
  const peer = await embedded(bundle, settings, who, () => true);
  return same(differences((await peer.answer(request, format)).body, want));
}
