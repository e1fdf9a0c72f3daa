/**
 * An object of a NATS JetStream bucket. It is watched, so that a published bundle is here at once; the object is also
 * asked for after every reconnection and at the poll interval, so that no lost message costs more than that. The connection is made
 * again for ever.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import { type ObjectStore, Objm } from "@nats-io/obj";
import { EdictError, SourceError } from "../errors.ts";
import { BackOff, spread } from "./back-off.ts";
import { type NatsObject, sourceName } from "./location.ts";
import { connectNats, type NatsCredentials, natsReason } from "./nats-connection.ts";
import { inTime, objectFacts, readObject, watchObject } from "./nats-object.ts";
import type { BundleSource, FetchedBundle } from "./source.ts";

/** How long a `fetch` waits for the first connection, in milliseconds. */
const FIRST_CONNECTION = 5_000;

/** How long opening a bucket and beginning to watch an object may take, in milliseconds. */
const OPEN_TIMEOUT = 5_000;

export interface NatsSourceOptions extends NatsCredentials {
  readonly object: NatsObject;
  readonly pollIntervalMs: number;
  readonly maxBytes: number;
}

export class NatsSource implements BundleSource {
  readonly name: string;
  readonly #options: NatsSourceOptions;
  readonly #backOff = new BackOff();
  #connection: NatsConnection | null = null;
  /** Whether the connection stands at this moment. */
  #isUp = false;
  #problem = "not connected yet";
  /** The first connection, while it is being made. */
  #connecting: Promise<void> | null = null;
  /** What the last `fetch` gave. */
  #given = "";
  #changed: () => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** Ends the watch that is under way. */
  #unwatch: () => void = () => undefined;
  #closed = false;

  constructor(options: NatsSourceOptions) {
    this.name = sourceName({ kind: "nats", object: options.object });
    this.#options = options;
  }

  async fetch(signal: AbortSignal): Promise<FetchedBundle | "unchanged"> {
    const { object, maxBytes } = this.#options;
    const store = await this.#open();
    try {
      const facts = await objectFacts(store, object.object);
      const label = `revision ${facts.revision}`;
      const version = `${facts.nuid} ${facts.revision} ${facts.digest}`;
      if (version === this.#given) return "unchanged";
      const bytes = await readObject(store, facts, maxBytes, signal);
      this.#given = version;
      return { bytes, label, warnings: "" };
    } catch (error) {
      this.#askAgain();
      if (error instanceof EdictError) throw error;
      throw new SourceError("EDICT_SOURCE_UNREACHABLE", natsReason(error), { cause: error });
    }
  }

  forget(): void {
    this.#given = "";
  }

  watch(changed: () => void): () => void {
    this.#changed = changed;
    const poll = (): void => {
      this.#timer = setTimeout(() => {
        this.#changed();
        poll();
      }, spread(this.#options.pollIntervalMs));
      this.#timer.unref();
    };
    poll();
    void this.#connectSoon();
    return () => {
      this.#closed = true;
      this.#changed = () => undefined;
      if (this.#timer !== null) clearTimeout(this.#timer);
      if (this.#retry !== null) clearTimeout(this.#retry);
      this.#unwatch();
      void this.close();
    };
  }

  /** Ends the connection. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.close().catch(() => undefined);
  }

  /** The bucket over a connection that stands. Rejects with `SourceError`. */
  async #open(): Promise<ObjectStore> {
    if (this.#connection === null) await inTime(this.#connectSoon(), FIRST_CONNECTION).catch(() => undefined);
    const connection = this.#connection;
    if (connection === null || !this.#isUp) {
      throw new SourceError("EDICT_SOURCE_UNREACHABLE", this.#problem);
    }
    try {
      return await inTime(new Objm(connection).open(this.#options.object.bucket), OPEN_TIMEOUT);
    } catch (error) {
      this.#askAgain();
      throw error;
    }
  }

  /** Has `fetch` called again after a wait that grows with every failure. */
  #askAgain(): void {
    if (this.#closed || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#changed();
    }, this.#backOff.next());
    this.#retry.unref();
  }

  /** Makes the connection unless it is being made. Never rejects. */
  #connectSoon(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    if (this.#closed || this.#connection !== null) return;
    const { object } = this.#options;
    const retry = new BackOff();
    try {
      const connection = await connectNats(object, this.#options, () => retry.next());
      if (this.#closed) {
        await connection.close();
        return;
      }
      this.#connection = connection;
      this.#isUp = true;
      void this.#follow(connection, retry);
      void this.#watchObject(connection);
    } catch (error) {
      this.#problem = error instanceof SourceError ? error.message : natsReason(error);
      this.#askAgain();
    }
  }

  /** Notes how the connection is, until it ends for good; then another one is made. */
  async #follow(connection: NatsConnection, retry: BackOff): Promise<void> {
    try {
      for await (const status of connection.status()) {
        if (status.type === "reconnect") {
          retry.reset();
          this.#backOff.reset();
          this.#isUp = true;
          void this.#watchObject(connection);
          // What was published meanwhile nobody has told us.
          this.#changed();
        } else if (status.type === "disconnect") {
          this.#isUp = false;
          this.#problem = "the connection was lost";
          this.#changed();
        } else if (status.type === "error") this.#problem = natsReason(status.error);
      }
    } catch (error) {
      this.#problem = natsReason(error);
    }
    await connection.closed();
    this.#isUp = false;
    this.#connection = null;
    if (!this.#closed) this.#askAgain();
  }

  /** Watches the object over a connection, in place of an earlier watch; begins again when the watch ends. */
  async #watchObject(connection: NatsConnection): Promise<void> {
    this.#unwatch();
    const ended = new AbortController();
    this.#unwatch = () => ended.abort();
    const retry = new BackOff();
    while (!ended.signal.aborted && !this.#closed && !connection.isClosed()) {
      try {
        const updates = await inTime(watchObject(connection, this.#options.object), OPEN_TIMEOUT);
        ended.signal.addEventListener("abort", () => updates.stop());
        if (ended.signal.aborted) updates.stop();
        retry.reset();
        // What was published before the watch began it does not show.
        this.#changed();
        // Only that something has come counts; what it is `fetch` asks.
        for await (const update of updates) if (update.subject !== "") this.#changed();
      } catch (error) {
        this.#problem = error instanceof EdictError ? error.message : natsReason(error);
      }
      if (!ended.signal.aborted) await sleep(retry.next(), undefined, { ref: false });
    }
  }
}
