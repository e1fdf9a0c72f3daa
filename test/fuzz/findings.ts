/** What a run found: counted by kind, the first ones of each kind kept as files that repeat them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Body } from "./bodies.ts";

/** Findings of one kind that are written in full. */
const KEPT = 5;
const SHOWN_BYTES = 300;

export class Findings {
  readonly #directory: string | null;
  readonly #counts = new Map<string, number>();

  /** `directory` is where bodies are written to; null for nowhere. */
  constructor(directory: string | null) {
    this.#directory = directory;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** `kind` is short and the same for findings that are probably the same. */
  add(kind: string, detail: string, body: Body | null): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count > KEPT) return;
    const shown = body?.bytes.subarray(0, SHOWN_BYTES).toString("latin1") ?? "";
    console.log(
      `FINDING ${kind}: ${detail}\n  ${body?.world.name ?? ""} ${body?.format ?? ""}: ${JSON.stringify(shown)}`,
    );
    if (this.#directory === null || body === null) return;
    mkdirSync(this.#directory, { recursive: true });
    const name = `${kind.replaceAll(/[^a-z0-9]+/gi, "-")}-${count}`;
    writeFileSync(join(this.#directory, `${name}.body`), body.bytes);
    const { world, format } = body;
    writeFileSync(
      join(this.#directory, `${name}.json`),
      JSON.stringify({ kind, detail, world: world.name, format }, null, 1),
    );
  }

  /** One line per kind. */
  summary(): readonly string[] {
    return [...this.#counts].map(([kind, count]) => `${count} × ${kind}`);
  }
}
