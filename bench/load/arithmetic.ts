/**
 * Whether what the guest takes is all that it costs the daemon: `npx tsx bench/load/arithmetic.ts [microseconds]`, after `npm run build`. The echo, edict, the
 * daemon without its guest, and that daemon with so many microseconds of arithmetic per request in the guest's place (1.7), side by side under
 * the load of the `http` part.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { compile } from "../../compiler/index.ts";
import { percent, table, thousands } from "../report/table.ts";
import { chooseGenerator } from "./generators.ts";
import { formatRequest, writeRequestFile } from "./http-requests.ts";
import { loadtestBodies, loadtestPolicies } from "./loadtest-set.ts";
import { startEcho, startEdict, startUndecided, withServers } from "./servers.ts";
import { measureSideBySide } from "./side-by-side.ts";

const COPIES = 100;
const CONNECTIONS = [16, 64] as const;

const microseconds = Number(process.argv[2] ?? 1.7);
if (!(microseconds > 0 && microseconds <= 100)) {
  process.stderr.write(
    "usage: npx tsx bench/load/arithmetic.ts [microseconds, more than 0 and at most 100]\n",
  );
  process.exit(2);
}
const { bundle } = await compile(loadtestPolicies(COPIES));
if (bundle === undefined) throw new Error("the load-test set does not compile");

await withServers(async (start, directory) => {
  const bundleFile = join(directory, "loadtest.edict");
  writeFileSync(bundleFile, bundle);
  const requestFile = (encoding: string): string => join(directory, `${encoding}.requests`);
  for (const encoding of ["json", "msgpack"] as const) {
    const requests = loadtestBodies(COPIES).map((body) => formatRequest(body[encoding], encoding));
    writeRequestFile(requestFile(encoding), requests);
  }
  const servers = [
    await start(startEcho()),
    await start(startEdict(bundleFile)),
    await start(startUndecided(bundleFile)),
    await start(startUndecided(bundleFile, microseconds)),
  ];
  const [echo] = servers;
  if (echo === undefined) return;
  const { generator } = await chooseGenerator({
    port: echo.port,
    connections: CONNECTIONS[0],
    seconds: 1,
    requestFile: requestFile("json"),
  });
  const targets = (["json", "msgpack"] as const).flatMap((encoding) =>
    servers.map((server) => ({ server, encoding, requestFile: requestFile(encoding) })),
  );
  const rows: string[][] = [];
  for (const connections of CONNECTIONS) {
    const plan = { generator, connections, rounds: 3, seconds: 4, warmUpSeconds: 2 };
    for (const figures of await measureSideBySide(targets, plan))
      rows.push([
        figures.server,
        figures.encoding,
        String(connections),
        thousands(figures.requestsPerSecond),
        percent(figures.ofEcho ?? 0),
        (figures.processorPerRequest ?? 0).toFixed(2),
      ]);
  }
  console.log(
    table(
      [`load from ${generator.name}`, "encoding", "connections", "requests/s", "of echo", "processor, µs"],
      rows,
    ),
  );
});
