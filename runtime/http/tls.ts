/**
 * TLS of the data port. Certificates are read once, at start. Plain TLS is uWebSockets.js's own; its JavaScript API neither
 * refuses clients without a certificate nor shows whose certificate a client has, so when certificates are asked for, TLS ends in
 * Node's own server, which does refuse them, and what comes through goes to uWebSockets.js over a socket that nobody else can
 * open. That costs throughput (docs/serving.md), and wants one serving thread.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, createServer, type Server, type TLSSocket } from "node:tls";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";

export interface TlsOptions {
  /** PEM files: the certificate with its chain, and its key. */
  readonly certificate: string;
  readonly key: string;
  /** PEM file of the authorities of which one must have issued the client's certificate; null when clients need none. */
  readonly clientAuthorities: string | null;
}

/** Milliseconds that a handshake may take. */
const HANDSHAKE_TIMEOUT = 10_000;

/** Milliseconds that a peer gets to take the rest of an answer once the other side is closed. */
const LINGER = 10_000;

/** The files, once it is known that TLS can be spoken with them. Throws `ServeError`. */
export async function readTlsFiles(
  options: TlsOptions,
): Promise<{ readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer | null }> {
  const { certificate, key, clientAuthorities } = options;
  try {
    const files = {
      cert: await readFile(certificate),
      key: await readFile(key),
      ca: clientAuthorities === null ? null : await readFile(clientAuthorities),
    };
    // Says what is wrong, where uWebSockets.js only says that something is.
    createSecureContext({ cert: files.cert, key: files.key, ...(files.ca === null ? {} : { ca: files.ca }) });
    if (files.ca !== null && !files.ca.includes("-----BEGIN CERTIFICATE-----")) {
      throw new Error(`\`${clientAuthorities}\` holds no certificate`);
    }
    return files;
  } catch (error) {
    throw new ServeError("EDICT_TLS", `TLS cannot be served: ${oneLine(error)}`, { cause: error });
  }
}

/** Where connections of clients with a good certificate are handed on: a Unix socket in a directory of this user alone. */
export class PrivateSocket {
  readonly #directory = mkdtempSync(join(tmpdir(), "edict-"));

  get path(): string {
    return join(this.#directory, "data.sock");
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Ends TLS for clients with a certificate; nobody else gets through. */
export class ClientCertificates {
  readonly #server: Server;
  readonly #sockets = new Set<Socket | TLSSocket>();

  /** Connections go on to the Unix socket `target`. Rejects with `ServeError`. */
  static async start(options: TlsOptions, target: string): Promise<ClientCertificates> {
    const { cert, key, ca } = await readTlsFiles(options);
    if (ca === null) throw new ServeError("EDICT_TLS", "there are no authorities for client certificates");
    const server = createServer({
      cert,
      key,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: HANDSHAKE_TIMEOUT,
    });
    return new ClientCertificates(server, target);
  }

  private constructor(server: Server, target: string) {
    this.#server = server;
    server.on("secureConnection", (socket) => this.#handOn(socket, target));
    // Handshakes that fail are the client's affair, but a socket without a listener for errors would end the process.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Listens; returns the port. */
  async listen(host: string, port: number): Promise<number> {
    try {
      this.#server.listen(host === "" ? { port } : { host, port });
      await once(this.#server, "listening");
    } catch (error) {
      throw new ServeError("EDICT_LISTEN", `cannot listen on \`${host}:${port}\`: ${oneLine(error)}`, {
        cause: error,
      });
    }
    // One that runs out of file descriptors must not end the process.
    this.#server.on("error", () => undefined);
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? bound.port : port;
  }

  /** Takes no new connections. */
  stop(): void {
    this.#server.close();
  }

  /** Ends all connections. */
  close(): void {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  #handOn(client: TLSSocket, target: string): void {
    // INVARIANT: the handshake has verified the certificate; Node would have closed the connection otherwise.
    if (!client.authorized) {
      client.destroy();
      return;
    }
    const inner = connect(target);
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        // What is on its way is still sent, unless nobody takes it.
        other.end();
        other.setTimeout(LINGER, () => other.destroy());
      });
    }
    client.pipe(inner);
    inner.pipe(client);
  }
}
