/** Conditions are CEL: the scripts of old are refused. */
import type { ConditionMessage } from "../decode/policy-message.ts";
import type { Reader } from "../decode/spot.ts";

export function scriptCondition(condition: ConditionMessage | undefined, reader: Reader): void {
  if (condition?.script !== undefined) {
    reader.atKey("EDICT2106", {}, condition.spot);
  }
}
