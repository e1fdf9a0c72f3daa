/** Real certificates for tests, made by the openssl command: authorities, and what they issue. */
import { execFile, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;

/** Files in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A self-signed authority; its files are `<name>.pem` and `<name>.key` in `directory`. */
export async function authority(directory: string, name: string): Promise<Certificate> {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  const out = ["-keyout", files.key, "-out", files.cert];
  await run("openssl", ["req", "-x509", ...NEW_KEY, ...out, "-subj", `/CN=${name}`, "-days", "2"]);
  return files;
}

/** A certificate issued by `issuer` for this machine, good for servers and clients. */
export async function issued(directory: string, name: string, issuer: Certificate): Promise<Certificate> {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  const request = join(directory, `${name}.csr`);
  const extensions = join(directory, `${name}.ext`);
  await writeFile(extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  await run("openssl", ["req", ...NEW_KEY, "-keyout", files.key, "-out", request, "-subj", `/CN=${name}`]);
  const options = ["-in", request, "-out", files.cert, "-days", "2", "-extfile", extensions];
  await run("openssl", [
    "x509",
    "-req",
    "-CAcreateserial",
    ...options,
    "-CA",
    issuer.cert,
    "-CAkey",
    issuer.key,
  ]);
  return files;
}

/** The contents of a certificate's files, as Node's TLS takes them. */
export async function contentsOf({ cert, key }: Certificate): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readFile(cert), key: await readFile(key) };
}
