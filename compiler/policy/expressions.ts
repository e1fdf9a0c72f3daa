/** Conditions and outputs as written, with the names in force. The expressions in them stay text until stage 3. */
import type {
  ConditionMessage,
  MatchListMessage,
  MatchMessage,
  OutputMessage,
} from "./decode/policy-message.ts";
import type { Text } from "./decode/field.ts";
import { keyPlace, type Reader } from "./decode/spot.ts";
import { celSource } from "./names-in-force.ts";
import type { CelSource, Match, Names, Outputs } from "./policy-set.ts";
import { emptyOutput } from "./rules/empty-output.ts";
import { scriptCondition } from "./rules/script-condition.ts";

/** The match of a condition; nothing where there is no condition. Reports scripts. */
export function toMatch(
  condition: ConditionMessage | undefined,
  reader: Reader,
  names: Names,
): Match | undefined {
  scriptCondition(condition, reader);
  return condition?.match === undefined ? undefined : matchOf(condition.match, reader, names);
}

function matchOf(message: MatchMessage, reader: Reader, names: Names): Match | undefined {
  if (message.expr !== undefined) {
    return { kind: "expr", expr: toSource(message.expr, reader, names) };
  }
  if (message.all !== undefined) {
    return listOf("all", message.all, reader, names);
  }
  if (message.any !== undefined) {
    return listOf("any", message.any, reader, names);
  }
  return message.none === undefined ? undefined : listOf("none", message.none, reader, names);
}

function listOf(kind: "all" | "any" | "none", list: MatchListMessage, reader: Reader, names: Names): Match {
  const of: Match[] = [];
  for (const inner of list.of ?? []) {
    const match = matchOf(inner, reader, names);
    if (match !== undefined) {
      of.push(match);
    }
  }
  return { kind, of, place: keyPlace(reader.document, list.spot) };
}

const NO_OUTPUTS: Outputs = {};

/** The expressions of an output; the deprecated `expr` is `when.ruleActivated`. Reports an output without any. */
export function toOutputs(output: OutputMessage | undefined, reader: Reader, names: Names): Outputs {
  emptyOutput(output, reader);
  const activated = given(output?.when?.ruleActivated) ?? given(output?.expr);
  const notMet = given(output?.when?.conditionNotMet);
  if (activated === undefined && notMet === undefined) {
    return NO_OUTPUTS;
  }
  return {
    ...(activated === undefined ? {} : { ruleActivated: toSource(activated, reader, names) }),
    ...(notMet === undefined ? {} : { conditionNotMet: toSource(notMet, reader, names) }),
  };
}

function given(text: Text | undefined): Text | undefined {
  return text?.value === "" ? undefined : text;
}

function toSource({ value, spot }: Text, reader: Reader, names: Names): CelSource {
  return celSource(value, spot, reader, names);
}
