/**
 * The interop scenarios of the AuthZEN working group (corpus/authzen) against `edict serve`: policies beside this file, users and records in the
 * directory, requests with identifiers only. Every decision and every list of the corpus is asked for, in JSON and in msgpack.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CORPUS, corpusPath, NO_CORPUS } from "../../../support/corpus.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../../../support/daemon.ts";
import { directoryFile, entity, type DirectoryFile, type Entity } from "./directory-file.ts";

const SKIP = CORPUS === undefined ? NO_CORPUS : DAEMON_IS_BUILT ? undefined : BUILD_DAEMON;
const FORMATS = ["json", "msgpack"] as const;

interface Case<Request, Expected> {
  readonly request: Request;
  readonly expected: Expected;
}

interface Named {
  readonly type?: string;
  readonly id?: string;
  readonly name?: string;
}

interface Question {
  readonly subject?: Named;
  readonly action?: Named;
  readonly resource?: Named;
  readonly evaluations?: readonly Question[];
}

interface Results {
  readonly results: readonly Named[];
}

type Decisions = readonly { readonly decision: boolean }[];

const text = (path: string): string => readFileSync(path, "utf8");

/** A file of the corpus as JSON; `absent` where there is no corpus, so that the tests can be collected. */
function corpus<T>(absent: T, ...path: readonly string[]): T {
  if (CORPUS === undefined) return absent;
  const data: T = JSON.parse(text(corpusPath("authzen", ...path)));
  return data;
}

const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What a question is about, on one line. */
function title({ subject, action, resource, evaluations }: Question): string {
  const who = subject?.id?.slice(0, 12) ?? subject?.type ?? "anybody";
  const what = resource?.id ?? resource?.type ?? `${evaluations?.length ?? 0} resources`;
  return `${who} ${action?.name ?? "any action"} ${what}`;
}

function titled<Expected>(cases: readonly Case<Question, Expected>[]) {
  return cases.map(({ request, expected }) => ({ name: title(request), request, expected }));
}

/** Results as a set of texts: the scenarios leave their order open. */
function names(results: readonly Named[]): readonly string[] {
  return results.map(({ type, id, name }) => name ?? `${type ?? ""}/${id ?? ""}`).sort();
}

/** Starts a daemon for a scenario before its tests, and stops it after them. */
function withDaemon(policies: string, roles: string, entities: () => readonly Entity[]): { daemon: Daemon } {
  const running: { daemon?: Daemon; directory?: DirectoryFile } = {};
  beforeAll(async () => {
    running.directory = await directoryFile(entities());
    const args = ["--policies", local(policies), "--directory", running.directory.path];
    running.daemon = await startDaemon(args, { authzen: { roles } });
  });
  afterAll(async () => {
    await running.daemon?.stop();
    await running.directory?.remove();
  });
  return {
    get daemon() {
      if (running.daemon === undefined) throw new Error("the daemon is not running");
      return running.daemon;
    },
  };
}

/** Asks in both formats; the answers must be the same. */
async function ask(daemon: Daemon, path: string, body: unknown): Promise<unknown> {
  const [inJson, inMsgpack] = await Promise.all(
    FORMATS.map(async (format) => daemon.post(path, body, format)),
  );
  expect(inJson?.status, JSON.stringify(inJson?.body)).toBe(200);
  expect(inMsgpack).toEqual(inJson);
  return inJson?.body;
}

async function search(daemon: Daemon, kind: string, request: Question): Promise<readonly string[]> {
  const { results } = (await ask(daemon, `/access/v1/search/${kind}`, request)) as Results;
  return names(results);
}

type Rows = readonly Readonly<Record<string, unknown>>[];

/** The scenario's table of users, whom the PDP knows and the application only names. */
const TODO_USERS: Rows = JSON.parse(text(local("todo/users.json")));

describe.skipIf(SKIP !== undefined)(SKIP === undefined ? "interop: todo" : `interop: todo (${SKIP})`, () => {
  const decisions = corpus<{
    readonly evaluation: readonly Case<Question, boolean>[];
    readonly evaluations: readonly Case<Question, Decisions>[];
  }>({ evaluation: [], evaluations: [] }, "todo", "decisions.json");
  const at = withDaemon("todo/policies", "property:roles", () =>
    TODO_USERS.map((user) => entity("subject", "user", user)),
  );

  it.each(titled(decisions.evaluation))("$name: $expected", async ({ request, expected }) => {
    expect(await ask(at.daemon, "/access/v1/evaluation", request)).toEqual({ decision: expected });
  });

  it.each(titled(decisions.evaluations))("$name at once", async ({ request, expected }) => {
    expect(await ask(at.daemon, "/access/v1/evaluations", request)).toEqual({ evaluations: expected });
  });

  it("denies whom the directory does not know", async () => {
    const request = {
      subject: { type: "user", id: "nobody" },
      action: { name: "can_create_todo" },
      resource: { type: "todo", id: "todo-1" },
    };
    expect(await ask(at.daemon, "/access/v1/evaluation", request)).toEqual({ decision: false });
  });
});

describe.skipIf(SKIP !== undefined)(
  SKIP === undefined ? "interop: API gateway" : `interop: API gateway (${SKIP})`,
  () => {
    const { evaluation } = corpus<{ readonly evaluation: readonly Case<Question, boolean>[] }>(
      { evaluation: [] },
      "api-gateway",
      "decisions.json",
    );
    const at = withDaemon("api-gateway/policies", "property:roles", () =>
      TODO_USERS.map((user) => entity("subject", "identity", user)),
    );

    it.each(titled(evaluation))("$name: $expected", async ({ request, expected }) => {
      expect(await ask(at.daemon, "/access/v1/evaluation", request)).toEqual({ decision: expected });
    });

    it("answers all of them at once as one by one", async () => {
      const answer = await ask(at.daemon, "/access/v1/evaluations", {
        evaluations: evaluation.map(({ request }) => request),
      });
      expect(answer).toEqual({ evaluations: evaluation.map(({ expected }) => ({ decision: expected })) });
    });

    it("decides by what the gateway says beside the identifiers only where policies ask for it", async () => {
      const request = {
        subject: { type: "identity", id: TODO_USERS[1]?.["id"], properties: { agent: "browser" } },
        action: { name: "POST", properties: { scheme: "https" } },
        resource: { type: "route", id: "/todos", properties: { host: "todo.example" } },
        context: { headers: { accept: "*/*" } },
      };
      expect(await ask(at.daemon, "/access/v1/evaluation", request)).toEqual({ decision: false });
    });
  },
);

type SearchCases = { readonly evaluation: readonly Case<Question, Results>[] };
const NO_CASES: SearchCases = { evaluation: [] };

describe.skipIf(SKIP !== undefined)(
  SKIP === undefined ? "interop: search" : `interop: search (${SKIP})`,
  () => {
    const users = corpus<Rows>([], "search", "users.json").map((user) => entity("subject", "user", user));
    const records = corpus<Rows>([], "search", "records.json").map((record) =>
      entity("resource", "record", record),
    );
    const at = withDaemon("search/policies", "property:role", () => [...users, ...records]);

    describe.each(["subject", "resource", "action"])("%s", (kind) => {
      const { evaluation } = corpus(NO_CASES, "search", `${kind}.json`);
      it.each(titled(evaluation))("$name", async ({ request, expected }) => {
        expect(await search(at.daemon, kind, request)).toEqual(names(expected.results));
      });
    });

    it("finds what evaluations by identifiers permit, and nothing else", async () => {
      const actions = ["view", "edit", "delete"];
      for (const { type, id } of users) {
        const subject = { type, id };
        const evaluations = actions.flatMap((name) =>
          records.map((record) => ({ action: { name }, resource: { type: record.type, id: record.id } })),
        );
        const answer = (await ask(at.daemon, "/access/v1/evaluations", { subject, evaluations })) as {
          readonly evaluations: Decisions;
        };
        const permitted = evaluations.filter((_, index) => answer.evaluations[index]?.decision === true);
        for (const name of actions) {
          const found = await search(at.daemon, "resource", {
            subject,
            action: { name },
            resource: { type: "record" },
          });
          expect(found, `${id} ${name}`).toEqual(
            names(permitted.filter(({ action }) => action.name === name).map(({ resource }) => resource)),
          );
        }
      }
    });

    it.each([
      ["an unknown user", "zoe", "view"],
      ["an unknown action", "alice", "shred"],
    ])("finds no records for %s", async (_, id, name) => {
      const request = { subject: { type: "user", id }, action: { name }, resource: { type: "record" } };
      expect(await search(at.daemon, "resource", request)).toEqual([]);
    });
  },
);

describe.skipIf(SKIP !== undefined)(
  SKIP === undefined ? "interop: identity provider" : `interop: identity provider (${SKIP})`,
  () => {
    const results = corpus<{ readonly search: readonly Case<Question, Results>[] }>(
      { search: [] },
      "idp",
      "results.json",
    );
    // The scenario takes over the policies of the search scenario; passwords are no property.
    const at = withDaemon("search/policies", "property:role", () => [
      ...corpus<Rows>([], "idp", "users.json").map(({ id }) => entity("subject", "user", { id })),
      ...corpus<Rows>([], "idp", "records.json").map((record) => entity("resource", "record", record)),
    ]);

    it.each(titled(results.search))("claims of $name", async ({ request, expected }) => {
      expect(await search(at.daemon, "resource", request)).toEqual(names(expected.results));
    });

    it("gives an unknown user no claims", async () => {
      const request = {
        subject: { type: "user", id: "mallory" },
        action: { name: "delete" },
        resource: { type: "record" },
      };
      expect(await search(at.daemon, "resource", request)).toEqual([]);
    });
  },
);
