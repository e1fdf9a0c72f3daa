/**
 * An endless supply of request bodies from one seed: good requests written in every style, changed in structure, and
 * damaged byte by byte. The last are made from a pool of bodies that were taken for requests, renewed all the time.
 */
import type { Format } from "../../runtime/index.ts";
import { Random } from "../differential/random.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateTree } from "./mutate-tree.ts";
import type { Node } from "./tree.ts";
import { PLAIN_JSON, writeJson } from "./write-json.ts";
import { writeMsgpack } from "./write-msgpack.ts";
import type { World } from "./worlds.ts";

export interface Body {
  readonly world: World;
  readonly format: Format;
  readonly bytes: Buffer;
}

/** Bodies kept per world and format; those that grew beyond the limit are not kept. */
const POOL = 400;
const MAX_KEPT = 64 * 1024;

/** Of twenty bodies, how many come from a tree; the rest are damaged bytes. */
const FROM_TREES = 3;

/** The bodies of one seed, the same ones every time. */
export class BodySource {
  readonly #worlds: readonly World[];
  readonly #formats: readonly Format[];
  readonly #random: Random;
  readonly #pools = new Map<string, Buffer[]>();

  constructor(worlds: readonly World[], seed: number, formats: readonly Format[] = ["json", "msgpack"]) {
    this.#worlds = worlds;
    this.#formats = formats;
    this.#random = new Random(seed);
    for (const world of worlds) {
      for (const format of formats) {
        const pool = world.requests.map((request) => this.#write(request, format));
        this.#pools.set(`${world.name} ${format}`, pool);
      }
    }
  }

  next(): Body {
    const random = this.#random;
    const world = this.#worlds[random.below(this.#worlds.length)];
    if (world === undefined) throw new Error("there are no worlds");
    const format = random.pick<Format>(this.#formats, "json");
    const pool = this.#pools.get(`${world.name} ${format}`) ?? [];
    if (random.below(20) < FROM_TREES) {
      const request = random.pick<Node>(world.requests, null);
      const tree = random.chance(0.1) ? request : mutateTree(request, world.vocabulary, random);
      return { world, format, bytes: this.#write(tree, format) };
    }
    const nothing = Buffer.alloc(0);
    const body = random.pick(pool, nothing);
    return { world, format, bytes: mutateBytes(body, random.pick(pool, nothing), random) };
  }

  /** Says that a body was taken for a request: others are made from it, so that the good and nearly good ones prevail. */
  keep({ world, format, bytes }: Body): void {
    const pool = this.#pools.get(`${world.name} ${format}`);
    if (pool === undefined || bytes.length > MAX_KEPT) return;
    if (pool.length < POOL) pool.push(bytes);
    else if (this.#random.chance(0.2)) pool[this.#random.below(POOL)] = bytes;
  }

  #write(tree: Node, format: Format): Buffer {
    const random = this.#random;
    const isPlain = random.chance(0.6);
    if (format === "msgpack") return writeMsgpack(tree, isPlain ? 0 : random.next() * 0.3, random);
    const style = isPlain
      ? PLAIN_JSON
      : {
          space: random.chance(0.5) ? random.next() * 0.4 : 0,
          escape: random.chance(0.5) ? random.next() * 0.3 : 0,
          number: random.next(),
        };
    return writeJson(tree, style, random);
  }
}
