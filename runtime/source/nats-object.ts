/** Getting one object of a NATS bucket, bounded in size and time; its digest is checked by the library as it arrives. */
import { type ConsumerMessages, DeliverPolicy, jetstream } from "@nats-io/jetstream";
import type { ObjectInfo, ObjectStore } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { BundleError, SourceError } from "../errors.ts";
import type { NatsObject } from "./location.ts";
import { natsReason } from "./nats-connection.ts";

/** How long a question about an object may take, in milliseconds. */
const QUESTION_TIMEOUT = 5_000;

/** How long the object may be silent, and how long getting it may take, in milliseconds. */
const SILENCE = 10_000;
const TOTAL = 300_000;

/** What the bucket says about `name`. Rejects with `SourceError` when there is no such object. */
export async function objectFacts(store: ObjectStore, name: string): Promise<ObjectInfo> {
  const info = await inTime(store.info(name), QUESTION_TIMEOUT);
  if (info === null || info.deleted) {
    throw new SourceError("EDICT_SOURCE_NOT_FOUND", `the bucket holds no object \`${name}\``);
  }
  // Following one would make a daemon read, and the library even create, a bucket that nobody named.
  if (info.options?.link !== undefined) {
    throw new SourceError("EDICT_SOURCE_REFUSED", `\`${name}\` is a link to another object`);
  }
  return info;
}

/**
 * A message for every version of the object that is published from now on. What stands in them is for whoever reads the object: the
 * library's own watch of a bucket would fail on one that is not JSON.
 */
export async function watchObject(
  connection: NatsConnection,
  { bucket, object }: NatsObject,
): Promise<ConsumerMessages> {
  const name = Buffer.from(object).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  const consumer = await jetstream(connection).consumers.getPushConsumer(`OBJ_${bucket}`, {
    filter_subjects: `$O.${bucket}.M.${name}`,
    deliver_policy: DeliverPolicy.New,
  });
  return consumer.consume();
}

/** The bytes of the object that `facts` describe. Rejects with `SourceError`, or `BundleError` when there are too many. */
export async function readObject(
  store: ObjectStore,
  facts: ObjectInfo,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  requireSize(facts.size, maxBytes);
  const found = await inTime(store.get(facts.name), QUESTION_TIMEOUT);
  if (found === null) {
    throw new SourceError("EDICT_SOURCE_NOT_FOUND", `the bucket holds no object \`${facts.name}\` any more`);
  }
  // Said by the stream as well.
  found.error.catch(() => undefined);
  const reader = found.data.getReader();
  const deadline = performance.now() + TOTAL;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const left = Math.min(SILENCE, deadline - performance.now());
      const { done, value } = await inTime(reader.read(), Math.max(0, left));
      if (done) break;
      size += value.byteLength;
      requireSize(size, maxBytes);
      chunks.push(value);
    }
  } finally {
    // Ends what the library still waits for; nothing to do about it when that fails.
    void reader.cancel().catch(() => undefined);
  }
  return Buffer.concat(chunks);
}

function requireSize(size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new BundleError(`the object is larger than the limit of ${maxBytes} bytes for a bundle`, {
    code: "EDICT_BUNDLE_TOO_LARGE",
  });
}

/** `work`, or a `SourceError` when it takes longer or fails. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new SourceError("EDICT_SOURCE_TIMEOUT", "the NATS server did not answer in time")),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError("EDICT_SOURCE_UNREACHABLE", natsReason(error), { cause: error });
  } finally {
    clearTimeout(timer);
    // When it was late: nobody else hears how it ends.
    work.catch(() => undefined);
  }
}
