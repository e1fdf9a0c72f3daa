/** The large request of the benchmarks: an agent's fan-out over the load-test set, one principal and thousands of resources. */
import { Packr, unpack } from "msgpackr";
import { loadtestBodies, type RequestBody } from "./loadtest-set.ts";

interface LoadtestRequest {
  readonly resources: readonly { readonly actions: readonly string[]; readonly resource: object }[];
}

/** One request with the resources of many copies of the set until it has `pairs` pairs; each resource has an id of its own. */
export function hugeBody(copies: number, pairs: number): RequestBody {
  const requests = loadtestBodies(copies).map((body): LoadtestRequest => unpack(Buffer.from(body.msgpack)));
  const all = requests.flatMap((request) => request.resources);
  const resources: LoadtestRequest["resources"][number][] = [];
  let decisions = 0;
  for (let index = 0; decisions < pairs; index++) {
    const entry = all[index % all.length];
    if (entry === undefined) break;
    const actions = entry.actions.slice(0, pairs - decisions);
    resources.push({ actions, resource: { ...entry.resource, id: `resource-${index}` } });
    decisions += actions.length;
  }
  const request = { ...requests[0], resources };
  return {
    json: Buffer.from(JSON.stringify(request)),
    msgpack: new Packr({ useRecords: false, variableMapSize: true }).pack(request),
    decisions,
  };
}
