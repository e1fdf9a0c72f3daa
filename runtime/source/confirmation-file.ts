/**
 * When the newest version was last confirmed, kept in the state directory so that a restart does not make a stale version fresh. As
 * long as the machine has not been started again, its own uptime says how long ago that was; otherwise the system's clock has to.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = "confirmed.json";

/** Where the system keeps the id of this start of the machine, and the seconds since; on Linux only. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const UPTIME = "/proc/uptime";

/** At most one write in this time, in milliseconds. */
const WRITE_INTERVAL = 5_000;

interface Instant {
  /** Id of this start of the machine; empty where there is none. */
  readonly boot: string;
  /** Milliseconds since then. */
  readonly uptimeMs: number;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
}

async function now(): Promise<Instant> {
  const wallMs = Date.now();
  try {
    const boot = (await readFile(BOOT_ID, "utf8")).trim();
    const uptimeMs = Number((await readFile(UPTIME, "utf8")).split(" ")[0]) * 1000;
    return Number.isFinite(uptimeMs) ? { boot, uptimeMs, wallMs } : { boot: "", uptimeMs: 0, wallMs };
  } catch {
    return { boot: "", uptimeMs: 0, wallMs };
  }
}

/** Milliseconds from `then` to `now`, never less than 0. */
export function elapsedBetween(then: Instant, current: Instant): number {
  const sameBoot = then.boot !== "" && then.boot === current.boot;
  return Math.max(0, sameBoot ? current.uptimeMs - then.uptimeMs : current.wallMs - then.wallMs);
}

export class ConfirmationFile {
  readonly #directory: string;
  #written = Number.NEGATIVE_INFINITY;
  #writing = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Milliseconds since the last confirmation; null when nothing is known about it. */
  async ageMs(): Promise<number | null> {
    try {
      const text = await readFile(join(this.#directory, FILE), "utf8");
      const { boot, uptimeMs, wallMs } = JSON.parse(text) as Readonly<Record<string, unknown>>;
      if (typeof boot !== "string" || typeof uptimeMs !== "number" || typeof wallMs !== "number") return null;
      return elapsedBetween({ boot, uptimeMs, wallMs }, await now());
    } catch {
      return null;
    }
  }

  /** Notes a confirmation, unless one has just been noted. Losing it makes what is kept look older, never younger. */
  note(): void {
    const clock = performance.now();
    if (this.#writing || clock - this.#written < WRITE_INTERVAL) return;
    this.#written = clock;
    this.#writing = true;
    void this.#write();
  }

  async #write(): Promise<void> {
    const temporary = join(this.#directory, `.${FILE}.0000000000000000.tmp`);
    try {
      await writeFile(temporary, JSON.stringify(await now()), { mode: 0o600 });
      await rename(temporary, join(this.#directory, FILE));
    } catch {
      // A full disk is reported where bundles are kept.
    } finally {
      this.#writing = false;
    }
  }
}
