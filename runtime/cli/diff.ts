/**
 * `edict diff`: which decisions about recorded requests change from one version of the policies to another. The same code as the
 * shadow of a daemon decides and compares, without a daemon.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import { loadPolicies } from "../bundle/policy-source.ts";
import { UsageError } from "../errors.ts";
import { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";

import { CompilePool } from "../pool/compile-pool.ts";
import { compareDecisions, explainDifferences } from "../shadow/compare.ts";
import type { DecidedBy, DecisionChange } from "../shadow/decision-change.ts";
import { type Command, EXIT_NO, EXIT_OK, type Io } from "./command.ts";
import { ON_ERROR_OPTION, onErrorFrom } from "./engine-options.ts";
import { MAX_CHANGES_OPTION, maxChangesFrom } from "./promote.ts";

/** Longest request in bytes, and limits of a request from the command line: as high as they may be set. */
const MAX_LINE = 4 * 1024 * 1024;
const LIMIT = 500;

/** Most changes that are listed; all are counted. */
const MAX_LISTED = 10_000;

const NOTHING = new Uint8Array(0);
const NEWLINE = 0x0a;

/** What all requests came to. */
interface Tally {
  requests: number;
  decisions: number;
  changed: number;
  /** Requests that neither version decides, with the first reason. */
  refused: number;
  reason: string | null;
}

export const diffCommand: Command = {
  name: "diff",
  summary: "show which decisions a new version of the policies changes",
  usage: "<old> <new> --requests <file.ndjson>",
  options: {
    requests: {
      type: "string",
      value: "<file>",
      help: "recorded check requests, one JSON document per line; `-` for standard input",
    },
    "max-changes": MAX_CHANGES_OPTION,
    "on-error": ON_ERROR_OPTION,
    json: { type: "boolean", help: "print one JSON line per change, and a summary" },
  },
  examples: [
    "edict diff policies.edict new/policies --requests requests.ndjson",
    "edict diff old.edict new.edict --requests requests.ndjson --max-changes 0 --json",
  ],
  positionals: [2, 2],
  async run(given, io) {
    const [oldName = "", newName = ""] = given.positionals;
    const requests = given.text("requests");
    if (requests === undefined) throw new UsageError("give the requests with `--requests`", "diff");
    const maxChanges = maxChangesFrom(given, "diff");
    const onError = onErrorFrom(given, "diff");
    const options = {
      ...(onError === undefined ? {} : { onError }),
      maxActionsPerResource: LIMIT,
      maxResourcesPerRequest: LIMIT,
      maxBodyBytes: MAX_LINE,
    };
    const compiler = new CompilePool();
    const load = async (name: string): Promise<Engine> =>
      Engine.load(await bundleOf(name, compiler, io), options);
    let engines: readonly [Engine, Engine];
    try {
      engines = [await load(oldName), await load(newName)];
    } finally {
      await compiler.close();
    }
    const tally: Tally = { requests: 0, decisions: 0, changed: 0, refused: 0, reason: null };
    for await (const bytes of linesOf(requests, io))
      compareOne(engines, bytes, tally, given.flag("json"), io);
    summarise(tally, engines, given.flag("json"), io);
    return maxChanges !== null && tally.changed > maxChanges ? EXIT_NO : EXIT_OK;
  },
};

/** A bundle file, or the bundle of a directory. */
async function bundleOf(name: string, compiler: CompilePool, io: Io): Promise<Uint8Array> {
  const facts = await stat(name).catch(() => null);
  if (facts === null) throw new UsageError(`\`${name}\` does not exist`, "diff");
  const { bundle, warnings } = await loadPolicies(
    facts.isDirectory()
      ? { kind: "directory", directory: name, watch: false }
      : { kind: "bundle", file: name },
    compiler,
  );
  if (warnings !== "") io.stderr(`${warnings}\n`);
  return bundle;
}

function compareOne(
  [old, next]: readonly [Engine, Engine],
  bytes: Uint8Array,
  tally: Tally,
  isJson: boolean,
  io: Io,
): void {
  const request = { bytes, format: FORMAT_JSON, claims: NOTHING };
  const comparison = compareDecisions(old, next, request);
  tally.requests++;
  tally.decisions += comparison.decisions;
  if (comparison.oldError !== null && comparison.newError !== null) {
    tally.refused++;
    tally.reason ??= comparison.oldError;
  }
  const listed = tally.changed;
  tally.changed += comparison.differences.length;
  if (comparison.differences.length === 0 || listed >= MAX_LISTED) return;
  for (const change of explainDifferences(old, next, request, comparison)) {
    io.stdout(isJson ? `${JSON.stringify(change)}\n` : `${changeText(change)}\n`);
  }
}

function changeText({ request, kind, id, action, old, new: next }: DecisionChange): string {
  return `${action} ${kind}/${id}: ${sideText(old)} -> ${sideText(next)} (request ${request.slice(0, 12)})`;
}

function sideText({ effect, rule, place, error }: DecidedBy): string {
  const word = effect === "EFFECT_ALLOW" ? "ALLOW" : "DENY";
  if (error !== null) return `${word} (${error})`;
  return place === null ? word : `${word} by ${rule === "" || rule === null ? "" : `${rule} `}at ${place}`;
}

function summarise(
  { requests, decisions, changed, refused, reason }: Tally,
  [old, next]: readonly [Engine, Engine],
  isJson: boolean,
  io: Io,
): void {
  if (isJson) {
    const summary = {
      requests,
      decisions,
      changed,
      refused,
      old: old.bundle.digest,
      new: next.bundle.digest,
    };
    io.stdout(`${JSON.stringify({ summary })}\n`);
    return;
  }
  const note = refused === 0 ? "" : `; refused by both: ${refused}, the first because ${reason ?? ""}`;
  io.stdout(`${changed} of ${decisions} decisions in ${requests} requests change${note}\n`);
}

/** The lines of a file that hold something, as bytes. Throws `UsageError`. */
async function* linesOf(name: string, io: Io): AsyncGenerator<Uint8Array> {
  const chunks = name === "-" ? [await io.stdin()] : (createReadStream(name) as AsyncIterable<Uint8Array>);
  let rest: Uint8Array = NOTHING;
  try {
    for await (const chunk of chunks) {
      let bytes: Uint8Array = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
        if (!isBlank(bytes.subarray(0, end))) yield bytes.subarray(0, end);
        bytes = bytes.subarray(end + 1);
      }
      if (bytes.byteLength > MAX_LINE) throw new Error(`a line is longer than ${MAX_LINE} bytes`);
      rest = bytes;
    }
  } catch (error) {
    throw new UsageError(`cannot read the requests: ${oneLine(error)}`, "diff");
  }
  if (!isBlank(rest)) yield rest;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
