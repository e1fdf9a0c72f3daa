/** A daemon that serves a world, and what is looked at while it is fuzzed: whether it lives, traps, grows, and decides as before. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Daemon, temporaryDirectory, writeFiles } from "../runtime/support/daemon.ts";
import { UNVERIFIED } from "../differential/generate/tokens.ts";
import { Random } from "../differential/random.ts";
import type { Findings } from "./findings.ts";
import { PLAIN_JSON, writeJson } from "./write-json.ts";
import type { World } from "./worlds.ts";

/** Small, so that bodies beyond it are cheap. */
export const MAX_BODY = 256 * 1024;

/** Requests of a kilobyte go to workers, and are divided among them as far as no part is smaller. */
const BATCHES = { workers: 3, minBytes: 1024 };

const RETRY_MS = 100;

/** Both texts from a little before where they differ. */
function difference(before: string, after: string): string {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at += 1;
  const shown = (text: string): string => text.slice(Math.max(0, at - 50), at + 150);
  return `${shown(before)} now ${shown(after)}`;
}

export class DaemonUnderTest {
  readonly world: World;
  readonly daemon: Daemon;
  /** KiB. */
  readonly resident: number[] = [];
  readonly #remove: () => Promise<void>;
  readonly #canary: Buffer;
  #answer = "";

  static async start(world: World): Promise<DaemonUnderTest> {
    const directory = await temporaryDirectory();
    const files = Object.fromEntries(world.sources.map(({ path, text }) => [path, text]));
    const policies = join(directory.path, "policies");
    await writeFiles(policies, files);
    const {
      clock: _,
      maxActionsPerResource = 50,
      maxResourcesPerRequest = 50,
      schemaEnforcement,
      ...engine
    } = world.options;
    const requestLimits = { maxActionsPerResource, maxResourcesPerRequest, maxBodyBytes: MAX_BODY };
    const config = {
      server: { requestLimits, ...(world.batches ? { batches: BATCHES } : {}) },
      engine,
      ...(world.tokens ? { auxData: UNVERIFIED } : {}),
      ...(schemaEnforcement === undefined ? {} : { schema: { enforcement: schemaEnforcement } }),
    };
    const file = join(directory.path, "config.json");
    await writeFile(file, JSON.stringify(config));
    const daemon = await Daemon.start("--policies", policies, "--config", file);
    const started = new DaemonUnderTest(world, daemon, () => directory.remove());
    started.#answer = await started.#ask();
    return started;
  }

  private constructor(world: World, daemon: Daemon, remove: () => Promise<void>) {
    this.world = world;
    this.daemon = daemon;
    this.#remove = remove;
    const [request = null] = world.requests;
    this.#canary = writeJson(request, PLAIN_JSON, new Random(1));
  }

  /** The answer to a known request without its id; asked again when the daemon has no time for it. */
  async #ask(triesLeft = 20): Promise<string> {
    const { status, body } = await this.daemon.check(this.#canary);
    if (status === 503 && triesLeft > 0) {
      await sleep(RETRY_MS);
      return this.#ask(triesLeft - 1);
    }
    return `${status} ${body.toString("utf8").replace(/"cerbosCallId":"\w*"/, "")}`;
  }

  /** Looks whether all is well. */
  async look(findings: Findings): Promise<void> {
    let answer: string;
    let traps: unknown;
    try {
      answer = await this.#ask();
      ({ traps } = await this.daemon.json("/healthz"));
    } catch (error) {
      findings.add(
        "the daemon does not answer",
        `${String(error)} ${this.daemon.output().err.slice(-500)}`,
        null,
      );
      return;
    }
    if (answer !== this.#answer)
      findings.add("a known request is answered otherwise", difference(this.#answer, answer), null);
    if (traps !== 0) findings.add("trap", `${String(traps)} traps in ${this.world.name}`, null);
    const status = readFileSync(`/proc/${this.daemon.process.pid}/status`, "utf8");
    this.resident.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]));
  }

  async stop(findings: Findings): Promise<void> {
    const code = await this.daemon.stop();
    if (code !== 0)
      findings.add("the daemon died", `${String(code)} ${this.daemon.output().err.slice(-500)}`, null);
    await this.#remove();
  }
}
