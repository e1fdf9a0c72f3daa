/**
 * Who answers generated requests beside the interpreter: release and debug WASM, the daemon over HTTP, the real Cerbos. The
 * release build is asked everything; the others that are edict's take turns, since they differ from it in little.
 */
import type { SourceFile } from "../../../compiler/load/index.ts";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import type { Engine, Format } from "../../../runtime/index.ts";
import type { CaseEngine } from "../../support/cases.ts";
import { startCerbos } from "../../support/cerbos.ts";
import { DAEMON_IS_BUILT, startDaemon } from "../../support/daemon.ts";
import { ask, bundleOf, loadEngine } from "../../support/engines.ts";
import { cerbosSettings } from "../cerbos-settings.ts";
import type { CheckRequest } from "../interpreter/request.ts";
import { onTheWire, UNVERIFIED, UNVERIFIED_OPTIONS } from "./tokens.ts";

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export interface Peer {
  readonly name: string;
  readonly settings: CaseEngine;
  /** Whether this one is asked the request of this number. */
  takes(turn: number): boolean;
  answer(request: CheckRequest, format: Format): Promise<Reply>;
  /** Ends it; how often it trapped, where that can happen. */
  stop(): Promise<number>;
}

export const CERBOS = "Cerbos";
const NOTHING_TRAPPED = 0;
const TURNS = 4;

const everything = (): boolean => true;

function turns(which: number): Peer["takes"] {
  return (turn) => turn % TURNS === which;
}

/** Edict's own, in the mode of the set and failing closed. */
export async function edictPeers(
  sources: readonly SourceFile[],
  settings: CaseEngine,
  directory: string,
): Promise<readonly Peer[]> {
  const closed = { ...settings, onError: "fail-closed" } as const;
  const [release, debug] = [await bundleOf(sources, "release"), await bundleOf(sources, "debug")];
  return [
    await embedded(release, settings, "release WASM", everything),
    await embedded(release, closed, "release WASM", turns(0)),
    await embedded(debug, settings, "debug WASM", turns(1)),
    await embedded(debug, closed, "debug WASM", turns(2)),
    ...(DAEMON_IS_BUILT ? [await daemon(directory, settings, turns(3))] : []),
  ];
}

/** The binary, asked everything. */
export async function cerbosPeer(directory: string, settings: CaseEngine): Promise<Peer> {
  const cerbos = await startCerbos(directory, { ...cerbosSettings(settings), auxData: UNVERIFIED });
  return {
    name: CERBOS,
    settings,
    takes: everything,
    answer: (request) => cerbos.check(onTheWire(request)),
    stop: async () => {
      await cerbos.stop();
      return NOTHING_TRAPPED;
    },
  };
}

/** An engine in this process. */
export async function embedded(
  bundle: Uint8Array,
  settings: CaseEngine,
  name: string,
  takes: Peer["takes"],
): Promise<Peer> {
  const tokens = await TokenVerifier.start(UNVERIFIED_OPTIONS);
  const engine = await loadEngine(bundle, { ...settings, tokens });
  return {
    name,
    settings,
    takes,
    answer: async (request, format) => ({ status: 200, body: await responseOf(engine, request, format) }),
    stop: async () => engine.traps,
  };
}

async function responseOf(engine: Engine, request: CheckRequest, format: Format): Promise<unknown> {
  if (request.auxData !== undefined) return engine.checkAsync({ ...onTheWire(request) } as never);
  const answer = ask(engine, request, format);
  return "response" in answer ? answer.response : answer;
}

async function daemon(directory: string, settings: CaseEngine, takes: Peer["takes"]): Promise<Peer> {
  const limits = { maxActionsPerResource: 500, maxResourcesPerRequest: 500 };
  const { schemaEnforcement = "none", ...engine } = settings;
  const schema = { enforcement: schemaEnforcement };
  const config = { server: { requestLimits: limits }, engine, schema, auxData: UNVERIFIED };
  const process = await startDaemon(["--policies", directory], config);
  return {
    name: "HTTP",
    settings,
    takes,
    answer: (request, format) => process.check(onTheWire(request), format),
    stop: async () => {
      await process.stop();
      return NOTHING_TRAPPED;
    },
  };
}
