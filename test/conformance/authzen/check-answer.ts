/** Compares one answer with what a step wants. Collects everything that is wrong, one line each; sends nothing. */
import type { Answer } from "./pdp.ts";
import type { Step, Wanted, WantedDecision } from "./scenario.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text as JSON, or undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the answer says that its body is JSON, with or without parameters. */
export function isJsonType(contentType: string | undefined): boolean {
  return /^application\/json\s*(?:;|$)/iu.test(contentType ?? "");
}

/** A text as it is; what should have been one, as JSON. */
function plainText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** The results of an answer as texts that can be compared: `user/alice`, or the name of an action. */
export function resultNames(answer: Answer): readonly string[] {
  const body = parseJson(answer.text);
  const results: unknown = isObject(body) ? body["results"] : undefined;
  if (!Array.isArray(results)) return [];
  return results
    .filter(isObject)
    .map(({ type, id, name }) =>
      name === undefined ? `${plainText(type)}/${plainText(id)}` : plainText(name),
    );
}

/** The token of the next page, or undefined where there is none. */
export function nextToken(answer: Answer): string | undefined {
  const body = parseJson(answer.text);
  const page: unknown = isObject(body) ? body["page"] : undefined;
  const token: unknown = isObject(page) ? page["next_token"] : undefined;
  return typeof token === "string" && token !== "" ? token : undefined;
}

/** What is wrong with the answer to `step`; empty when nothing is. `earlier`: the results of the step named by `sameResultsAs`. */
export function checkAnswer(step: Step, answer: Answer, earlier: readonly string[] = []): readonly string[] {
  const { want } = step;
  const wrong: string[] = [];
  if (answer.status !== want.status) {
    wrong.push(`status ${answer.status} instead of ${want.status}: ${answer.text.slice(0, 200)}`);
  }
  const echo = answer.headers["x-request-id"]?.toString();
  if (step.requestId !== undefined && echo !== step.requestId) {
    wrong.push(
      echo === undefined ? "no X-Request-ID" : `X-Request-ID \`${echo}\` instead of \`${step.requestId}\``,
    );
  }
  if (wrong.length > 0 || want.status !== 200) return wrong;
  return checkBody(want, answer, earlier);
}

function checkBody(want: Wanted, answer: Answer, earlier: readonly string[]): readonly string[] {
  const type = answer.headers["content-type"];
  if (!isJsonType(type)) return [`content type \`${type ?? ""}\` instead of \`application/json\``];
  const body = parseJson(answer.text);
  if (!isObject(body)) return [`the body is no JSON object: ${answer.text.slice(0, 200)}`];
  const wrong: string[] = [];
  if (want.decision !== undefined) wrong.push(...checkDecision("", body, want.decision));
  if (want.decisions !== undefined) wrong.push(...checkDecisions(body, want.decisions));
  if (want.entities !== undefined || want.actions !== undefined || want.empty !== undefined || want.page) {
    wrong.push(...checkResults(body, want));
  }
  if (want.sameResultsAs !== undefined) {
    const [now, before] = [[...resultNames(answer)].sort(), [...earlier].sort()];
    if (now.join("\n") !== before.join("\n")) {
      wrong.push(`results [${now.join(", ")}] instead of [${before.join(", ")}]`);
    }
  }
  return wrong;
}

function checkDecision(path: string, found: unknown, want: WantedDecision): readonly string[] {
  if (!isObject(found)) return [`\`${path}\` is no object`];
  const wrong: string[] = [];
  const prefix = path === "" ? "" : `${path}.`;
  const { decision, context } = found;
  if (typeof decision !== "boolean") wrong.push(`\`${prefix}decision\` is no boolean`);
  else if (want !== "any" && decision !== want)
    wrong.push(`\`${prefix}decision\` is ${decision}, not ${want}`);
  if (context !== undefined && !isObject(context)) wrong.push(`\`${prefix}context\` is no object`);
  return wrong;
}

function checkDecisions(body: JsonObject, want: readonly WantedDecision[]): readonly string[] {
  const { evaluations } = body;
  if (!Array.isArray(evaluations)) return ["`evaluations` is no array"];
  const wrong = want.flatMap((decision, index) =>
    checkDecision(`evaluations[${index}]`, evaluations[index], decision),
  );
  if (evaluations.length !== want.length) {
    wrong.push(`${evaluations.length} evaluations instead of ${want.length}`);
  }
  return wrong;
}

function checkResults(body: JsonObject, want: Wanted): readonly string[] {
  const { results } = body;
  if (!Array.isArray(results)) return ["`results` is no array"];
  const wrong = checkPage(body, want);
  if (want.empty === true && results.length > 0) {
    wrong.push(`${results.length} results instead of none: ${JSON.stringify(results).slice(0, 200)}`);
  }
  if (want.entities !== undefined) wrong.push(...checkEntities(results, want.entities));
  if (want.actions !== undefined) wrong.push(...checkActions(results, want.actions));
  return wrong;
}

function checkEntities(
  results: readonly unknown[],
  want: NonNullable<Wanted["entities"]>,
): readonly string[] {
  const wrong: string[] = [];
  const found = new Set<unknown>();
  for (const [index, result] of results.entries()) {
    const { type, id } = isObject(result) ? result : {};
    if (type !== want.type) wrong.push(`\`results[${index}].type\` is not \`${want.type}\``);
    if (typeof id !== "string") wrong.push(`\`results[${index}].id\` is no string`);
    if (found.has(id)) wrong.push(`\`${String(id)}\` is there twice`);
    found.add(id);
  }
  return [...wrong, ...want.include.filter((id) => !found.has(id)).map((id) => `\`${id}\` is missing`)];
}

function checkActions(results: readonly unknown[], want: readonly string[]): readonly string[] {
  const wrong: string[] = [];
  const found = new Set<unknown>();
  for (const [index, result] of results.entries()) {
    const { name } = isObject(result) ? result : {};
    if (typeof name !== "string") wrong.push(`\`results[${index}].name\` is no string`);
    if (found.has(name)) wrong.push(`\`${String(name)}\` is there twice`);
    found.add(name);
  }
  return [...wrong, ...want.filter((name) => !found.has(name)).map((name) => `\`${name}\` is missing`)];
}

function checkPage({ page, results }: JsonObject, want: Wanted): string[] {
  if (page === undefined) return want.page === "required" ? ["no `page`"] : [];
  if (!isObject(page)) return ["`page` is no object"];
  const wrong: string[] = [];
  if (typeof page["next_token"] !== "string") wrong.push("`page.next_token` is no string");
  const { count, total, properties } = page;
  if (count !== undefined && (!Array.isArray(results) || count !== results.length)) {
    wrong.push("`page.count` is not the number of results");
  }
  if (total !== undefined && (!Number.isInteger(total) || Number(total) < 0)) {
    wrong.push("`page.total` is no count");
  }
  if (properties !== undefined && !isObject(properties)) wrong.push("`page.properties` is no object");
  return wrong;
}
