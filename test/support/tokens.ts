/**
 * What tests of tokens need: keys, tokens signed with them, key set options, and a server that hands out keys and can be
 * made to misbehave. Signing is done by `jose`, or with given bytes where `jose` would refuse to.
 */
import { createServer, type Server } from "node:http";
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from "jose";
import { type AuxDataOptions, DEFAULT_AUX_DATA, type KeySource } from "../../runtime/aux-data/options.ts";

/** A key pair with its public JWK, `alg` and `kid` included. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), alg, kid } };
}

/** A token with `payload` (an object, or its exact text). `header` is added to, or takes from, `alg` and `kid`. */
export async function signToken(
  key: { readonly alg: string; readonly kid: string; readonly privateKey: CryptoKey },
  payload: unknown,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}

/** A token whose parts are taken as they are. */
export function rawToken(header: unknown, payload: unknown, signature: string): string {
  const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return [...parts, signature].join(".");
}

/** Options with one key set, `keys`, from `source`. */
export function auxDataOptions(
  source: KeySource,
  insecure: { readonly optionalAlg?: boolean; readonly optionalKid?: boolean } = {},
  rest: Partial<AuxDataOptions> = {},
): AuxDataOptions {
  return {
    ...DEFAULT_AUX_DATA,
    keySets: [{ id: "keys", source, optionalAlg: false, optionalKid: false, ...insecure }],
    ...rest,
  };
}

/** A set of these keys as inline data. */
export function inlineKeys(...keys: readonly unknown[]): KeySource {
  return { kind: "data", data: JSON.stringify({ keys }), pem: false };
}

/** A server with one document. */
export interface KeyServer {
  readonly url: string;
  body: string;
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Whether it takes requests and does not answer. */
  silent: boolean;
  /** Answers what it has not answered. */
  release(): void;
  /** Requests so far. */
  requests: number;
  /** Those of them whose clients did not wait for the answer. */
  abandoned: number;
  close(): Promise<void>;
}

export async function startKeyServer(body = ""): Promise<KeyServer> {
  const held: (() => void)[] = [];
  const server: Server = createServer((_, response) => {
    keys.requests++;
    const answer = (): void => {
      response.writeHead(keys.status, keys.headers);
      response.end(keys.body);
    };
    response.on("close", () => {
      if (!response.writableEnded) keys.abandoned++;
    });
    if (keys.silent) held.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const keys: KeyServer = {
    url: `http://127.0.0.1:${port}/keys`,
    body,
    status: 200,
    headers: {},
    silent: false,
    requests: 0,
    abandoned: 0,
    release: () => {
      keys.silent = false;
      for (const answer of held.splice(0)) answer();
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return keys;
}
