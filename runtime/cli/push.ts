/** `edict push`: publishes a bundle to a NATS bucket, from where every daemon that watches it has it at once. */
import { Objm, type ObjectInfo, type ObjectStore } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Bundle, readBundle } from "../bundle/bundle-file.ts";
import { readBundleFile } from "../bundle/policy-source.ts";
import { SourceError, UsageError } from "../errors.ts";
import { type NatsObject, parseNatsObject } from "../source/location.ts";
import { connectNats, natsReason } from "../source/nats-connection.ts";
import { inTime } from "../source/nats-object.ts";
import { type Command, EXIT_OK } from "./command.ts";

/** How long opening or making a bucket, and publishing, may take; milliseconds. */
const OPEN_TIMEOUT = 10_000;
const PUT_TIMEOUT = 300_000;

/** How long the server may take to store one piece, in milliseconds. */
const PIECE_TIMEOUT = 10_000;

/** Milliseconds between attempts of a connection that broke while publishing. */
const RETRY = 500;

export const pushCommand: Command = {
  name: "push",
  summary: "publish a bundle to a NATS bucket, for every daemon that watches it",
  usage: "<bundle> --to nats://<host:port>/<bucket>/<name> [--create]",
  options: {
    to: { type: "string", value: "<address>", help: "nats://host:port/bucket/name, or tls:// for TLS" },
    create: { type: "boolean", help: "make the bucket when there is none" },
    replicas: {
      type: "string",
      value: "<n>",
      help: "copies of a bucket that is made, on as many servers; 1 unless told",
    },
    "nats-creds": { type: "string", value: "<file>", help: "NATS credentials file" },
    "token-file": { type: "string", value: "<file>", help: "file with the token for the NATS server" },
    json: { type: "boolean", help: "print what was published as JSON" },
  },
  examples: [
    "edict push policies.edict --to nats://127.0.0.1:4222/policies/production --create",
    "edict push policies.edict --to tls://nats.example.com/policies/production --nats-creds push.creds",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const [file = ""] = given.positionals;
    const target = targetFrom(given.text("to"));
    const replicas = replicasFrom(given.text("replicas"));
    const bytes = await readBundleFile(file);
    // Whoever is to verify it is the daemon; here a file that no daemon could read is kept from being published.
    const bundle = readBundle(bytes);
    const connection = await connectNats(
      target,
      {
        credentialsFile: given.text("nats-creds") ?? null,
        tokenFile: given.text("token-file") ?? null,
      },
      () => RETRY,
    );
    let info: ObjectInfo;
    try {
      const store = await openBucket(connection, target, given.flag("create"), replicas);
      info = await publish(store, target, bundle, bytes);
    } finally {
      await connection.close();
    }
    const { sequence } = bundle.manifest;
    if (given.flag("json")) {
      io.stdout(
        `${JSON.stringify({
          digest: bundle.digest,
          sequence,
          signed: bundle.signatures !== null,
          size: bundle.size,
          bucket: target.bucket,
          object: target.object,
          revision: info.revision,
        })}\n`,
      );
      return EXIT_OK;
    }
    const numbered = sequence === null ? "no sequence" : `sequence ${sequence}`;
    const signed = bundle.signatures === null ? "not signed" : "signed";
    io.stdout(
      `published bundle ${bundle.digest} (${numbered}, ${signed}, ${bundle.size} bytes) as ${target.bucket}/${target.object}, revision ${info.revision}\n`,
    );
    return EXIT_OK;
  },
};

function targetFrom(text: string | undefined): NatsObject {
  if (text === undefined) {
    throw new UsageError("say where to, as in `--to nats://host:port/bucket/name`", "push");
  }
  const target = parseNatsObject(text);
  if (typeof target === "string") throw new UsageError(target, "push");
  return target;
}

function replicasFrom(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^[1-5]$/.test(text)) throw new UsageError("`--replicas` must be from 1 to 5", "push");
  return Number(text);
}

async function openBucket(
  connection: NatsConnection,
  { bucket }: NatsObject,
  create: boolean,
  replicas: number,
): Promise<ObjectStore> {
  const buckets = new Objm(connection);
  try {
    return await inTime(buckets.open(bucket), OPEN_TIMEOUT);
  } catch (error) {
    const isMissing = /not found/i.test(natsReason(error));
    if (!isMissing) throw error;
    if (create) return inTime(buckets.create(bucket, { replicas }), OPEN_TIMEOUT);
    throw new SourceError(
      "EDICT_SOURCE_NOT_FOUND",
      `there is no bucket \`${bucket}\`; \`--create\` makes it`,
      { cause: error },
    );
  }
}

function publish(
  store: ObjectStore,
  { object }: NatsObject,
  { digest, manifest }: Bundle,
  bytes: Uint8Array,
): Promise<ObjectInfo> {
  // For people who look at the bucket; daemons go by the bundle alone.
  const metadata = {
    digest,
    ...(manifest.sequence === null ? {} : { sequence: String(manifest.sequence) }),
    ...(manifest.gitCommit === null ? {} : { gitCommit: manifest.gitCommit }),
  };
  return inTime(store.putBlob({ name: object, metadata }, bytes, { timeout: PIECE_TIMEOUT }), PUT_TIMEOUT);
}
