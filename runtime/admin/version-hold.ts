/**
 * When what the source offers is to be left alone. An operator who rolls back, or promotes a candidate, chooses a version that is
 * not the source's; without this the next look at the source would undo it. Versions are set aside by digest: the daemon stays with the
 * chosen one until the source offers one that was not set aside, or somebody asks for a reload. With a state directory this outlives the
 * process. It decides nothing about signatures or sequences: a version that ends a hold passes the same tests as any other.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import { readBounded, writeDurably } from "../source/durable-file.ts";

const HOLD_FILE = "hold.json";
const MAX_HOLD_SIZE = 16 * 1024;

/** Most digests that are set aside; more than the versions one can go back to. */
const MAX_SET_ASIDE = 16;

export interface Hold {
  readonly reason: "rollback" | "promote";
  /** RFC 3339. */
  readonly since: string;
  /** The version that serves instead. */
  readonly chosen: string;
  /** Digests that do not serve although the source may offer them. */
  readonly setAside: readonly string[];
}

export class VersionHold {
  readonly #directory: string | null;
  #hold: Hold | null = null;
  #serving: string | null = null;
  #replaced: string | null = null;
  /** Ends when no write is under way. */
  #quiet: Promise<void> = Promise.resolve();

  /** The hold that `directory` (null for none) has kept. One that cannot be read is ignored, as if somebody had asked for a reload. */
  static async open(directory: string | null): Promise<VersionHold> {
    const hold = new VersionHold(directory);
    if (directory === null) return hold;
    try {
      const bytes = await readBounded(directory, HOLD_FILE, MAX_HOLD_SIZE);
      if (bytes !== null) hold.#hold = parseHold(bytes.toString("utf8"));
    } catch (error) {
      log(`\`${join(directory, HOLD_FILE)}\` cannot be read and is ignored: ${oneLine(error)}`);
    }
    return hold;
  }

  private constructor(directory: string | null) {
    this.#directory = directory;
  }

  get current(): Hold | null {
    return this.#hold;
  }

  /** Sets versions aside, beside those that are set aside already. `chosen` no longer is. */
  set(reason: Hold["reason"], digests: readonly string[], chosen: string): void {
    const setAside = new Set([...(this.#hold?.setAside ?? []), ...digests]);
    setAside.delete(chosen);
    const since = new Date().toISOString();
    this.#hold = { reason, since, chosen, setAside: [...setAside].slice(-MAX_SET_ASIDE) };
    this.#keep();
  }

  /** Goes back to an earlier hold, because what it was replaced for has failed. */
  restore(hold: Hold | null): void {
    this.#hold = hold;
    this.#keep();
  }

  /** Whether a version that the source offers is to be left alone. */
  isSetAside(digest: string): boolean {
    return this.#hold?.setAside.includes(digest) === true;
  }

  /**
   * Notes what serves now. A version that is neither chosen nor set aside ends the hold; one that is set aside was on its way when it was.
   */
  note(digest: string): void {
    if (digest !== this.#serving) this.#replaced = this.#serving;
    this.#serving = digest;
    if (this.#hold !== null && this.#hold.chosen !== digest && !this.isSetAside(digest)) this.release();
  }

  /** What served before the version that was noted last; null when nothing did. */
  get replaced(): string | null {
    return this.#replaced;
  }

  /** Ends the hold, as when somebody asks for a reload. */
  release(): void {
    if (this.#hold === null) return;
    this.#hold = null;
    this.#keep();
  }

  /** Resolves once what holds now is written down, as far as it can be. Never rejects. */
  settled(): Promise<void> {
    return this.#quiet;
  }

  /** Writes it down, in order; what cannot be written is only forgotten by the next start. */
  #keep(): void {
    const directory = this.#directory;
    if (directory === null) return;
    const hold = this.#hold;
    this.#quiet = this.#quiet
      .then(() =>
        hold === null
          ? rm(join(directory, HOLD_FILE), { force: true })
          : writeDurably(directory, HOLD_FILE, JSON.stringify(hold)),
      )
      .catch((error: unknown) => log(`the hold could not be kept: ${oneLine(error)}`));
  }
}

const isDigest = (value: unknown): value is string =>
  typeof value === "string" && /^[\da-f]{64}$/.test(value);

/** Throws when `text` is none. */
function parseHold(text: string): Hold {
  const { reason, since, chosen, setAside } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if (
    (reason !== "rollback" && reason !== "promote") ||
    !isDigest(chosen) ||
    !Array.isArray(setAside) ||
    !setAside.every(isDigest)
  ) {
    throw new Error("it is not a hold");
  }
  return { reason, since: String(since), chosen, setAside };
}
