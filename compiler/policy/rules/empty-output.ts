/** An output has at least one expression. */
import type { OutputMessage } from "../decode/policy-message.ts";
import type { Reader } from "../decode/spot.ts";

export function emptyOutput(output: OutputMessage | undefined, reader: Reader): void {
  if (output === undefined) {
    return;
  }
  const texts = [output.expr, output.when?.ruleActivated, output.when?.conditionNotMet];
  if (texts.every((text) => text === undefined || text.value === "")) {
    reader.atKey("EDICT2107", {}, output.spot);
  }
}
