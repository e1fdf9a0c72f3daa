/**
 * Before anything is measured: do edict and Cerbos answer the same? Speed of a wrong answer is of no interest.
 * Compares what decides (results), not the call id, the order of keys or of derived roles.
 */
import { isDeepStrictEqual } from "node:util";

import { unpack } from "msgpackr";

import { CHECK_PATH, MEDIA_TYPES, type Encoding } from "./http-requests.ts";
import type { RequestBody } from "./loadtest-set.ts";

interface Answer {
  readonly status: number;
  readonly results: unknown;
}

async function ask(port: number, body: RequestBody, encoding: Encoding): Promise<Answer> {
  const type = MEDIA_TYPES[encoding];
  const response = await fetch(`http://127.0.0.1:${port}${CHECK_PATH}`, {
    method: "POST",
    headers: { "Content-Type": type, Accept: type },
    body: new Uint8Array(body[encoding]),
    signal: AbortSignal.timeout(10_000),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const message: unknown = encoding === "json" ? JSON.parse(bytes.toString()) : unpack(bytes);
  const results =
    typeof message === "object" && message !== null && "results" in message ? message.results : message;
  return { status: response.status, results };
}

/** Result of the comparison: how many bodies were asked, and the first difference found. */
export interface AnswerComparison {
  readonly compared: number;
  readonly difference: string | undefined;
}

/** Asks every body of edict in both encodings, and of Cerbos when there is one (`cerbosPort` given). */
export async function compareAnswers(
  edictPort: number,
  cerbosPort: number | undefined,
  bodies: readonly RequestBody[],
): Promise<AnswerComparison> {
  let compared = 0;
  for (const body of bodies) {
    const answers: [string, Answer][] = [
      ["edict, JSON", await ask(edictPort, body, "json")],
      ["edict, msgpack", await ask(edictPort, body, "msgpack")],
    ];
    if (cerbosPort !== undefined) answers.unshift(["Cerbos", await ask(cerbosPort, body, "json")]);
    const [[referenceName, reference] = ["", undefined]] = answers;
    for (const [name, answer] of answers) {
      if (answer.status === 200 && isDeepStrictEqual(answer, reference)) continue;
      return {
        compared,
        difference: `${name} answers ${JSON.stringify(answer)}, ${referenceName} answers ${JSON.stringify(reference)} to ${Buffer.from(body.json).toString()}`,
      };
    }
    compared++;
  }
  return { compared, difference: undefined };
}
