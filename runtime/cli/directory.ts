/** `edict directory`: what a running daemon knows of subjects and resources; adds entities to it, removes some, has it read its files again. */
import { createReadStream } from "node:fs";
import { type AdminAnswer, type AdminTarget, sendAdmin } from "../admin/admin-client.ts";
import type { DirectoryOutcome } from "../admin/directory-routes.ts";
import type { DirectoryStatus } from "../directory/directory.ts";
import { EntityCutter } from "../directory/entity-cutter.ts";
import { EntityReader } from "../directory/entity-reader.ts";
import { DirectoryError, EdictError, UsageError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { ADMIN_OPTIONS, adminTarget, refused } from "./admin-options.ts";
import { type Arguments, type Command, EXIT_NO, EXIT_OK, type Io } from "./command.ts";

/** Bytes of a request; the daemon takes all of one or nothing. */
const REQUEST_SIZE = 4 * 1024 * 1024;

/** Statuses that mean that the entities are at fault. */
const AT_FAULT = new Set([400, 409, 413]);

export const directoryCommand: Command = {
  name: "directory",
  summary: "show or change what a daemon knows of subjects and resources",
  usage: "status|reload|push <file>...|remove <file>... --admin <address>",
  options: ADMIN_OPTIONS,
  examples: [
    "edict directory status --admin unix:/run/edict-admin.sock",
    "edict directory push people.ndjson records.json --admin 127.0.0.1:3593 --token-file admin.token",
    "edict directory remove - --admin unix:/run/edict-admin.sock < left.ndjson",
    "edict directory reload --admin unix:/run/edict-admin.sock",
  ],
  positionals: [1, 1000],
  async run(given, io) {
    const [action = "", ...files] = given.positionals;
    const target = adminTarget(given, io, "directory");
    if (action === "push" || action === "remove") {
      if (files.length === 0) throw new UsageError(`say which files to ${action}, or \`-\``, "directory");
      return change(given, io, target, action, files);
    }
    if (files[0] !== undefined) throw new UsageError(`unexpected argument \`${files[0]}\``, "directory");
    if (action === "status") {
      return show(await sendAdmin(target, "GET", "/v1/directory"), given, io, statusText);
    }
    if (action === "reload") {
      return show(await sendAdmin(target, "POST", "/v1/directory/reload"), given, io, reloadText);
    }
    throw new UsageError(
      `unknown action \`${action}\`, not one of status, reload, push, remove`,
      "directory",
    );
  },
};

/** Sends files in requests of bounded size, once all of them are known to be good. */
async function change(
  given: Arguments,
  io: Io,
  target: AdminTarget,
  action: "push" | "remove",
  files: readonly string[],
): Promise<number> {
  const standardInput = files.includes("-") ? Buffer.from(await io.stdin()) : null;
  const open = (file: string): AsyncIterable<Buffer> | readonly Buffer[] =>
    file === "-" ? [standardInput ?? Buffer.alloc(0)] : (createReadStream(file) as AsyncIterable<Buffer>);
  for (const file of files) {
    const reader = new EntityReader(file, action === "push" ? "all" : "key", () => undefined);
    await readAll(file, open(file), reader);
  }
  const method = action === "push" ? "PUT" : "DELETE";
  let changed = 0;
  let last: DirectoryOutcome | null = null;
  for await (const body of requestsOf(files, open)) {
    const answer = await sendAdmin(target, method, "/v1/directory/entities", body);
    if (!answer.ok) {
      if (changed > 0) io.stderr(`edict: ${changed} entities had been sent already\n`);
      const code = refused(answer, given, io);
      return AT_FAULT.has(answer.status) ? EXIT_NO : code;
    }
    last = answer.value as DirectoryOutcome;
    changed += last.changed;
  }
  const outcome = { changed, entities: last?.entities ?? null, revision: last?.revision ?? null };
  const verb = action === "push" ? "pushed" : "removed";
  const rest = last === null ? "" : `; the directory has ${last.entities}, revision ${last.revision}`;
  io.stdout(
    given.flag("json") ? `${JSON.stringify(outcome, null, 2)}\n` : `${verb} ${changed} entities${rest}\n`,
  );
  return EXIT_OK;
}

/** Feeds a file to whoever takes it apart. Throws `DirectoryError`. */
async function readAll(
  file: string,
  chunks: AsyncIterable<Buffer> | readonly Buffer[],
  sink: { push(chunk: Buffer): void; end(): void },
): Promise<void> {
  try {
    for await (const chunk of chunks) sink.push(chunk);
    sink.end();
  } catch (error) {
    if (error instanceof EdictError) throw error;
    throw new DirectoryError("EDICT_DIRECTORY_UNREADABLE", `\`${file}\` cannot be read: ${oneLine(error)}`, {
      cause: error,
    });
  }
}

/** The entities of files, one per line, in bodies of at most REQUEST_SIZE bytes unless one of them has more. */
async function* requestsOf(
  files: readonly string[],
  open: (file: string) => AsyncIterable<Buffer> | readonly Buffer[],
): AsyncGenerator<Buffer> {
  let lines: Uint8Array[] = [];
  let length = 0;
  const full: Buffer[] = [];
  const flush = (): void => {
    if (length > 0) full.push(Buffer.concat(lines));
    lines = [];
    length = 0;
  };
  for (const file of files) {
    const cutter = new EntityCutter(file, (text) => {
      if (length + text.byteLength > REQUEST_SIZE) flush();
      // Line breaks stand between tokens only.
      const line = Buffer.from(text).map((byte) => (byte === 10 || byte === 13 ? 32 : byte));
      lines.push(line, Buffer.from("\n"));
      length += line.byteLength + 1;
    });
    for await (const chunk of open(file)) {
      cutter.push(chunk);
      yield* full.splice(0);
    }
    cutter.end();
  }
  flush();
  yield* full;
}

function show(answer: AdminAnswer, given: Arguments, io: Io, text: (value: unknown) => string): number {
  if (!answer.ok) {
    const code = refused(answer, given, io);
    return AT_FAULT.has(answer.status) ? EXIT_NO : code;
  }
  io.stdout(`${given.flag("json") ? JSON.stringify(answer.value, null, 2) : text(answer.value)}\n`);
  return EXIT_OK;
}

function statusText(value: unknown): string {
  const { entities, bytes, revision, isKept, types } = value as DirectoryStatus;
  const kept = isKept ? "survive a restart" : "are lost at a restart (no state directory)";
  return [
    `entities  ${entities}`,
    `bytes     ${bytes}`,
    `revision  ${revision}`,
    `pushed    ${kept}`,
    ...types.map(({ kind, type, entities: count }) => `${kind.padEnd(10)}${type}: ${count}`),
  ].join("\n");
}

function reloadText(value: unknown): string {
  const { changed, entities, revision } = value as DirectoryOutcome;
  return `loaded ${changed} entities from files; the directory has ${entities}, revision ${revision}`;
}
