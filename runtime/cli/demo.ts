/** What `npm start` shows: a command to paste, and one decision made by the daemon that has just started. */
import { readdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { join, relative } from "node:path";
import type { PolicySource } from "../config/config.ts";
import { oneLine } from "../guest/modules.ts";
import type { CheckRequest, CheckResponse } from "../guest/messages.ts";
import { actionLines } from "./decision-text.ts";
import type { Io } from "./command.ts";

/** The sample that tells most at first sight; any other `requests/*.json` beside the policies does too. */
const FIRST_CHOICE = "expense-approve.json";

/** Prints a curl command for a sample request and the answer to it. Never fails: a demonstration is not a service. */
export async function showDemo(address: string, source: PolicySource, io: Io): Promise<void> {
  try {
    const directory = join(source.kind === "directory" ? source.directory : ".", "..", "requests");
    const names = (await readdir(directory)).filter((name) => name.endsWith(".json")).sort();
    const name = names.includes(FIRST_CHOICE) ? FIRST_CHOICE : names[0];
    if (name === undefined) return;
    const file = relative(".", join(directory, name));
    const body = await readFile(file);
    const path = "/api/check/resources";
    const socket = address.startsWith("unix:") ? address.slice("unix:".length) : null;
    const target = socket === null ? `${address}${path}` : `--unix-socket ${socket} http://localhost${path}`;

    const response = JSON.parse(await post(address, path, body)) as CheckResponse;
    const asked = JSON.parse(body.toString("utf8")) as CheckRequest;
    const { principal } = asked;
    io.stdout(
      `\nmay ${principal.id} (${principal.roles.join(", ")}) do this?\n\n${actionLines(response, asked).join("\n")}\n\n` +
        `ask it yourself:\n\n  curl -s ${target} -d @${file}\n\n` +
        `and see why:\n\n  npx edict check --policies ${source.kind === "directory" ? source.directory : "<dir>"} --explain ${file}\n\n`,
    );
  } catch (error) {
    io.stderr(`edict: no demonstration: ${oneLine(error)}\n`);
  }
}

function post(address: string, path: string, body: Uint8Array): Promise<string> {
  const options = address.startsWith("unix:")
    ? { socketPath: address.slice("unix:".length), path }
    : { host: new URL(address).hostname.replaceAll(/[[\]]/g, ""), port: new URL(address).port, path };
  return new Promise((resolve, reject) => {
    const call = request(
      { ...options, method: "POST", agent: false, headers: { "content-type": "application/json" } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        response.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}
