/** The words of the control block that every decision begins anew and counts in (abi.ts). */
import {
  CONTROL_ALLOWED,
  CONTROL_BASE,
  CONTROL_CANDIDATES_LENGTH,
  CONTROL_CLAIMS_LENGTH,
  CONTROL_CONDITION_ERRORS,
  CONTROL_DECISIONS,
  CONTROL_ENTITIES_LENGTH,
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  CONTROL_ERROR_TEXT_LENGTH,
  CONTROL_ERROR_TEXT_START,
  CONTROL_RESOURCES,
  CONTROL_VERDICTS_LENGTH,
} from "../abi";

/** What a decision reports, and what the host said it added behind the body. */
export function clearControl(): void {
  store<u32>(CONTROL_BASE, 0, CONTROL_ERROR_OFFSET);
  store<u32>(CONTROL_BASE, 0, CONTROL_ERROR_DETAIL);
  store<u32>(CONTROL_BASE, 0, CONTROL_RESOURCES);
  store<u32>(CONTROL_BASE, 0, CONTROL_DECISIONS);
  store<u32>(CONTROL_BASE, 0, CONTROL_ALLOWED);
  store<u32>(CONTROL_BASE, 0, CONTROL_CONDITION_ERRORS);
  clearAdded();
}

export function clearAdded(): void {
  store<u32>(CONTROL_BASE, 0, CONTROL_CLAIMS_LENGTH);
  store<u32>(CONTROL_BASE, 0, CONTROL_VERDICTS_LENGTH);
  store<u32>(CONTROL_BASE, 0, CONTROL_ENTITIES_LENGTH);
  store<u32>(CONTROL_BASE, 0, CONTROL_CANDIDATES_LENGTH);
}

export function addControl(offset: usize, amount: u32): void {
  const address = CONTROL_BASE + offset;
  store<u32>(address, load<u32>(address) + amount);
}

export function controlWord(offset: usize): u32 {
  return load<u32>(CONTROL_BASE + offset);
}

export function setControl(offset: usize, value: u32): void {
  store<u32>(CONTROL_BASE + offset, value);
}

export function setErrorText(start: usize, length: u32): void {
  store<u32>(CONTROL_BASE, <u32>start, CONTROL_ERROR_TEXT_START);
  store<u32>(CONTROL_BASE, length, CONTROL_ERROR_TEXT_LENGTH);
}
