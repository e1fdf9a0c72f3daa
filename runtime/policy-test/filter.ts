/**
 * Which cells a run is about: `--test-filter dimension=glob1,glob2;...`. Globs are those of schemas: `*` alone is everything, but
 * beside other text it stops at colons; a glob that cannot be read matches nothing.
 */
import { globTest } from "../schema/action-globs.ts";

const DIMENSIONS = ["suite", "test", "principal", "resource", "action"] as const;

export type Dimension = (typeof DIMENSIONS)[number];

/** Globs by dimension; a dimension without globs takes everything. */
export class TestFilter {
  readonly #globs = new Map<Dimension, ((name: string) => boolean)[]>();

  /** Parses and merges filters. Throws `Error` with the reason. */
  static parse(texts: readonly string[]): TestFilter {
    const filter = new TestFilter();
    for (const part of texts.flatMap((text) => text.split(";"))) {
      if (part.trim() === "") continue;
      const at = part.indexOf("=");
      if (at < 0) {
        throw new Error(
          `invalid test filter: invalid filter dimension format "${part}": expected 'dimension=glob1,glob2'`,
        );
      }
      const name = part.slice(0, at).trim();
      const dimension = DIMENSIONS.find((known) => known === name);
      if (dimension === undefined) {
        throw new Error(
          `invalid test filter: unknown filter dimension "${name}": valid dimensions are ${DIMENSIONS.join(", ")}`,
        );
      }
      const globs = part
        .slice(at + 1)
        .split(",")
        .map((glob) => glob.trim());
      const list = filter.#globs.get(dimension) ?? [];
      list.push(...globs.filter((glob) => glob !== "").map(globTest));
      filter.#globs.set(dimension, list);
    }
    return filter;
  }

  matches(dimension: Dimension, name: string): boolean {
    const globs = this.#globs.get(dimension);
    return globs === undefined || globs.some((matches) => matches(name));
  }
}
