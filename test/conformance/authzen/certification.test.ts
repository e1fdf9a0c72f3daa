/**
 * The certification scenario of AuthZEN 1.0 against `edict serve` on the fixture of `examples/authzen`: every test of every sub-level. And the
 * suite itself: it knows every test of the scenario, and finds a PDP out that answers without evaluating.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authority, contentsOf, HAS_OPENSSL, issued } from "../../runtime/support/certificates.ts";
import {
  Daemon as ServingDaemon,
  runEdict,
  temporaryDirectory,
  writeFiles,
} from "../../runtime/support/daemon.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../../support/daemon.ts";
import { certify, type LevelResult, TESTS } from "./certification.ts";
import { addressOf, checkMetadata, endpointsOf } from "./discover.ts";
import type { Answer } from "./pdp.ts";
import { ENDPOINTS, SUB_LEVELS } from "./scenario.ts";

const POLICIES = fileURLToPath(new URL("../../../examples/authzen/policies", import.meta.url));
const DIRECTORY = fileURLToPath(new URL("../../../examples/authzen/directory.ndjson", import.meta.url));

/** The scenario's matrix of tests; a section's tests are those whose ids begin with it. */
const MATRIX: Readonly<Record<string, readonly string[]>> = {
  "basic-core": ["c-2-2-1", "c-2-2-2", "c-2-2-3", "c-2-2-8", "c-2-2-9", "c-2-3", "c-2-4", "c-2-5", "c-2-6"],
  "basic-properties": ["c-2-2-4", "c-2-2-5", "c-2-2-6", "c-2-2-7"],
  "batch-core": ["c-3-2-1", "c-3-2-2", "c-3-2-5", "c-3-2-6", "c-3-3", "c-3-4"],
  "batch-properties": ["c-3-2-3", "c-3-2-4", "c-3-2-7"],
  "search-core": [
    "c-4-2-1",
    "c-4-2-2",
    "c-4-2-3",
    "c-4-3-1",
    "c-4-3-2",
    "c-4-3-3",
    "c-4-4-1",
    "c-4-4-2",
    "c-4-5",
    "c-4-6",
    "c-4-7",
  ],
  "search-properties": ["c-4-2-4", "c-4-3-4", "c-4-4-3"],
};
/** Required of every sub-level but discovery. */
const EVERYWHERE = ["c-2-4-3", "c-2-4-4", "c-2-4-5", "c-2-4-6", "c-2-5-1", "c-2-5-2", "c-2-6", "c-5"];

/** The failed tests of a run, with what was wrong. */
function failures(levels: readonly LevelResult[]): readonly string[] {
  return levels.flatMap(({ level, tests }) =>
    tests.flatMap(({ id, wrong }) => wrong.map((one) => `${level} ${id}: ${one}`)),
  );
}

const SKIP = DAEMON_IS_BUILT ? undefined : BUILD_DAEMON;

describe.skipIf(SKIP !== undefined)(
  SKIP === undefined ? "edict, certified" : `edict, certified (${SKIP})`,
  () => {
    let daemon: Daemon;
    beforeAll(async () => {
      daemon = await startDaemon(["--policies", POLICIES, "--directory", DIRECTORY]);
    });
    afterAll(() => daemon.stop());

    it.each(SUB_LEVELS)("$title", async ({ name }) => {
      const levels = await certify({ url: daemon.url, levels: [name] });
      expect(failures(levels)).toEqual([]);
      expect(levels.map(({ certified }) => certified)).not.toContain(false);
    });

    it("publishes the public address of what stands in front of it", async () => {
      const [discovery] = await certify({
        url: daemon.url,
        publicUrl: "https://pdp.example.com",
        levels: ["discovery"],
      });
      expect(discovery?.tests.flatMap(({ wrong }) => wrong)).toEqual([]);
    });
  },
);

describe.skipIf(SKIP !== undefined || !HAS_OPENSSL)("edict, certified over HTTPS with a bearer token", () => {
  const token = "certification-0123456789";
  const running: { daemon?: ServingDaemon } = {};
  let home: Awaited<ReturnType<typeof temporaryDirectory>>;
  let authorities: string;
  beforeAll(async () => {
    home = await temporaryDirectory();
    const issuer = await authority(home.path, "authority");
    const { cert, key } = await issued(home.path, "pdp", issuer);
    authorities = (await contentsOf(issuer)).cert.toString("utf8");
    const tokens = join(home.path, "tokens");
    await writeFiles(home.path, { tokens: `${token}\n` });
    const fixture = ["--policies", POLICIES, "--directory", DIRECTORY];
    const access = ["--tls-cert", cert, "--tls-key", key, "--auth-token-file", tokens];
    running.daemon = await ServingDaemon.start(...fixture, ...access);
  });
  afterAll(async () => {
    await running.daemon?.stop();
    await home.remove();
  });

  it("at every sub-level", async () => {
    const url = running.daemon?.address ?? "";
    expect(url).toMatch(/^https:/u);
    expect(failures(await certify({ url, authorities, token }))).toEqual([]);
  });

  it("at discovery alone without the token", async () => {
    const levels = await certify({ url: running.daemon?.address ?? "", authorities });
    expect(levels.filter(({ certified }) => certified).map(({ level }) => level)).toEqual(["discovery"]);
  });
});

describe.skipIf(SKIP !== undefined)("the fixture", () => {
  it("passes its own test suite", async () => {
    const { code, out } = await runEdict(["test", POLICIES, "--output", "list"]);
    expect(out).toMatch(/\[36 OK\]/u);
    expect(code).toBe(0);
  });
});

describe("the suite", () => {
  it.each(Object.keys(MATRIX))("has every test of %s", (level) => {
    const ids = TESTS.filter((test) => test.level === level).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const missing = [...(MATRIX[level] ?? []), ...EVERYWHERE].filter(
      (wanted) => !ids.some((id) => id === wanted || id.startsWith(`${wanted}-`)),
    );
    expect(missing).toEqual([]);
  });

  it("gives every step of a test a name of its own, and refers to earlier ones only", () => {
    for (const { id, steps } of TESTS) {
      const earlier = new Set<string>();
      for (const { name, tokenOf, want } of steps) {
        expect(earlier.has(name), `${id}: ${name}`).toBe(false);
        for (const other of [tokenOf, want.sameResultsAs]) {
          if (other !== undefined) expect([...earlier], `${id}: ${name}`).toContain(other);
        }
        earlier.add(name);
      }
    }
  });
});

/** A PDP that answers everything by `answer`, without looking. */
async function cannedPdp(
  answer: (path: string, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => answer(request.url ?? "", response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server };
}

describe("a PDP that does not evaluate", () => {
  let canned: Awaited<ReturnType<typeof cannedPdp>>;
  let levels: readonly LevelResult[];
  beforeAll(async () => {
    canned = await cannedPdp((path, response) => {
      if (path.startsWith("/.well-known")) response.writeHead(404).end();
      else {
        const everything = { decision: true, evaluations: [], results: [{ type: "user", id: "alice" }] };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(everything));
      }
    });
    levels = await certify({ url: canned.url });
  });
  afterAll(() => void canned.server.close());

  const failedIds = (level: string): readonly string[] =>
    levels
      .find((one) => one.level === level)
      ?.tests.filter(({ wrong }) => wrong.length > 0)
      .map(({ id }) => id) ?? [];

  it("is certified at no sub-level", () => {
    expect(levels.map(({ level }) => level)).toEqual(SUB_LEVELS.map(({ name }) => name));
    expect(levels.filter(({ certified }) => certified)).toEqual([]);
  });

  it("fails where the fixture denies, where requests are wrong and where headers are echoed", () => {
    const failed = failedIds("basic-core");
    for (const id of ["c-2-2-2", "c-2-4-1", "c-2-4-2", "c-2-4-3", "c-2-4-4", "c-2-4-5", "c-2-5-1"]) {
      expect(failed).toContain(id);
    }
    // A permit is what it always says.
    expect(failed).not.toContain("c-2-2-1");
  });

  it("fails every test of properties that has a denial", () => {
    expect(failedIds("basic-properties")).toEqual(expect.arrayContaining(["c-2-2-4", "c-2-2-7"]));
    expect(failedIds("batch-properties")).toEqual(expect.arrayContaining(["c-3-2-3", "c-3-2-4", "c-3-2-7"]));
  });

  it("fails searches that must find somebody else, or nothing", () => {
    const failed = failedIds("search-core");
    for (const id of ["c-4-2-1", "c-4-3-1", "c-4-4-1", "c-4-6-1", "c-4-6-2", "c-4-7-1", "c-4-7-2"]) {
      expect(failed).toContain(id);
    }
  });

  it("fails discovery without metadata", () => {
    expect(failedIds("discovery")).toEqual(expect.arrayContaining(["c-6-1", "c-6-6"]));
  });
});

function metadataOf(body: object): Answer {
  return { status: 200, headers: { "content-type": "application/json" }, text: JSON.stringify(body) };
}

describe("metadata", () => {
  const address = addressOf("http://127.0.0.1:3592/tenant1", "https://pdp.example.com/tenant1");
  const good = {
    policy_decision_point: "https://pdp.example.com/tenant1",
    access_evaluation_endpoint: "https://pdp.example.com/tenant1/access/v1/evaluation",
    search_action_endpoint: "https://elsewhere.example.com/actions",
  };

  it("say where the APIs are; the others are at their default paths", () => {
    const endpoints = endpointsOf(metadataOf(good), address);
    expect(endpoints.evaluation.href).toBe("http://127.0.0.1:3592/tenant1/access/v1/evaluation");
    expect(endpoints.searchAction.href).toBe("https://elsewhere.example.com/actions");
    expect(endpoints.evaluations.href).toBe("http://127.0.0.1:3592/tenant1/access/v1/evaluations");
    expect(Object.keys(endpoints).sort()).toEqual([...ENDPOINTS].sort());
  });

  it("pass when they are complete", async () => {
    expect(Object.values(await checkMetadata(metadataOf(good), address)).flat()).toEqual([]);
  });

  it.each([
    ["c-6-3", { ...good, policy_decision_point: "https://other.example.com" }],
    ["c-6-3", { ...good, access_evaluation_endpoint: undefined }],
    ["c-6-4", { ...good, search_action_endpoint: "http://elsewhere.example.com/actions" }],
    ["c-6-5", { ...good, capabilities: "none" }],
    ["c-6-5", { ...good, signed_metadata: "eyJhbGciOiJub25lIn0.e30." }],
  ])("fail %s when they are wrong", async (id, body) => {
    const wrong = await checkMetadata(metadataOf(body), address);
    expect(wrong[id]).not.toEqual([]);
  });
});
