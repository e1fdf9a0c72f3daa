/** The tokens of the data port: what a file may say, and what becomes of changes to it. */
import { createHash } from "node:crypto";
import type * as FileSystem from "node:fs/promises";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServeError } from "../../../runtime/errors.ts";
import { Access, type Permission, tokenKey } from "../../../runtime/http/access.ts";
import { AccessTokenFile, parseAccessTokens } from "../../../runtime/http/access-tokens.ts";
import type { HttpRequest } from "../../../runtime/http/uws.ts";
import { temporaryDirectory } from "../support/daemon.ts";

/** Why no file can be read at the moment; null when they can. */
let fault: Error | null = null;

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof FileSystem>();
  const readFile = async (path: string): Promise<Buffer> => {
    if (fault !== null) throw fault;
    return await real.readFile(path);
  };
  return { ...real, readFile };
});

const TOKEN = "0123456789abcdef";
const OTHER = "fedcba9876543210!#$:=/";
const digest = (token: string): string => createHash("sha256").update(token).digest("hex");

const asking = (authorization: string): HttpRequest => ({
  getHeader: (name) => (name === "authorization" ? authorization : ""),
  getUrl: () => "/",
  getMethod: () => "post",
  getQuery: () => "",
});

const statusOf = (access: Access, header: string, permission: Permission = "check"): string =>
  access.refusal(asking(header), permission)?.status.slice(0, 3) ?? "200";

const challenge = (access: Access, header: string): string =>
  access.refusal(asking(header), "check")?.lines?.replace("\r\nWWW-Authenticate: ", "") ?? "";

describe("parseAccessTokens", () => {
  it("takes tokens as they are or by digest, limited to routes or not", () => {
    const text = `# for the gateway\n${TOKEN}\n\n  robot:sha256=${digest(OTHER).toUpperCase()}\tcheck,search \r\n`;
    const grants = parseAccessTokens(text, "tokens");
    expect([...grants.keys()]).toEqual([tokenKey(TOKEN), tokenKey(OTHER)]);
    expect([...(grants.get(tokenKey(TOKEN))?.permissions ?? [])]).toEqual(["check", "evaluate", "search"]);
    expect([...(grants.get(tokenKey(OTHER))?.permissions ?? [])]).toEqual(["check", "search"]);
  });

  it.each([
    ["short", "is not a token of 16 to 4096 printable characters"],
    [`${TOKEN}é`, "is not a token of 16 to 4096 printable characters"],
    [`robot:sha256=${digest(TOKEN).slice(1)}`, "is not a token of 16 to 4096 printable characters"],
    [`:sha256=${digest(TOKEN)}`, "is not a token of 16 to 4096 printable characters"],
    [`${TOKEN} chekc`, "names routes other than check, evaluate, search"],
    [`${TOKEN} check,`, "names routes other than check, evaluate, search"],
    [`${TOKEN} check evaluate`, "has more than a token and its routes"],
    [`${TOKEN}\n${TOKEN}`, "repeats a token"],
    [`${TOKEN}\nrobot:sha256=${digest(TOKEN)}`, "repeats a token"],
  ])("refuses %j without showing it", (text, reason) => {
    const refused = (): unknown => parseAccessTokens(`# first\n${text}`, "tokens");
    expect(refused).toThrow(ServeError);
    expect(refused).toThrow(new RegExp(`^\`tokens\` line [23] ${reason}$`));
  });

  it("lets nobody in by a file without tokens", () => {
    expect(parseAccessTokens("# none\n", "tokens").size).toBe(0);
  });
});

describe("Access", () => {
  const access = new Access({ grants: parseAccessTokens(`${TOKEN}\n${OTHER} evaluate`, "tokens") });

  it.each([
    ["", "401"],
    [TOKEN, "401"],
    [`Basic ${TOKEN}`, "401"],
    ["Bearer", "401"],
    ["Bearer ", "401"],
    [`Bearer ${TOKEN}x`, "401"],
    [`Bearer ${TOKEN.slice(1)}`, "401"],
    [`Bearer ${TOKEN} ${TOKEN}`, "401"],
    [`Bearer ${digest(TOKEN)}`, "401"],
    [`Bearer ${tokenKey(TOKEN)}`, "401"],
    [`Bearer ${TOKEN}`, "200"],
    [`bearer   ${TOKEN} `, "200"],
    [`Bearer ${OTHER}`, "403"],
  ])("answers Authorization %j with %s", (header, status) => {
    expect(statusOf(access, header)).toBe(status);
  });

  it("challenges whoever is not let in", () => {
    expect(challenge(access, "")).toBe('Bearer realm="edict"');
    expect(challenge(access, "Bearer x")).toBe('Bearer realm="edict", error="invalid_token"');
    expect(challenge(access, `Bearer ${OTHER}`)).toBe('Bearer realm="edict", error="insufficient_scope"');
  });
});

describe("AccessTokenFile", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let file: string;
  let tokens: AccessTokenFile;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    file = join(directory.path, "tokens");
    await writeFile(file, TOKEN);
    // It looks only when it is told to: a look of its own that has begun before a change would be the one that is waited for.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    tokens = await AccessTokenFile.open(file);
  });
  afterEach(async () => {
    vi.useRealTimers();
    fault = null;
    tokens.close();
    await directory.remove();
  });

  it("follows changes, and keeps what it has when the file is no good any more", async () => {
    const access = new Access(tokens);
    const both = (): string[] => [TOKEN, OTHER].map((token) => statusOf(access, `Bearer ${token}`));
    expect(both()).toEqual(["200", "401"]);

    await appendFile(file, `\n${OTHER}\n`);
    await tokens.look();
    expect(both()).toEqual(["200", "200"]);

    await writeFile(file, `${OTHER}\nshort`);
    await tokens.look();
    expect(both()).toEqual(["200", "200"]);
    await rm(file);
    await tokens.look();
    expect(both()).toEqual(["200", "200"]);

    await writeFile(file, OTHER);
    await tokens.look();
    expect(both()).toEqual(["401", "200"]);
    await writeFile(file, "");
    await tokens.look();
    expect(both()).toEqual(["401", "401"]);
  });

  // A read that failed once counted as one of this version, so a token that was taken out stayed good until the next change.
  it("reads a change that it could not read when it saw it, as soon as it can, and says so once", async () => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      await writeFile(file, OTHER);
      fault = new Error("EMFILE: too many open files");
      for (let look = 0; look < 3; look++) await tokens.look();
      expect([...tokens.grants.keys()]).toEqual([tokenKey(TOKEN)]);
      const complaints = said.mock.calls.filter(([text]) => String(text).includes("EMFILE"));
      expect(complaints).toHaveLength(1);
    } finally {
      said.mockRestore();
    }
    fault = null;
    await tokens.look();
    expect([...tokens.grants.keys()]).toEqual([tokenKey(OTHER)]);
  });

  it("does not open without a file that it understands", async () => {
    await writeFile(file, "short");
    await expect(AccessTokenFile.open(file)).rejects.toMatchObject({ code: "EDICT_ACCESS_TOKENS" });
    await expect(AccessTokenFile.open(join(directory.path, "none"))).rejects.toMatchObject({
      code: "EDICT_ACCESS_TOKENS",
    });
  });
});
