/** Durations until something expires: as in the configuration, and with days and weeks, in which keys are planned. */
import { parseDuration } from "../config/values.ts";
import { UsageError } from "../errors.ts";
import type { Arguments } from "./command.ts";

const DAY = 24 * 60 * 60;

const LONG_UNITS: Readonly<Record<string, number>> = { d: DAY, w: 7 * DAY };

/** Longest time until something expires, in seconds: a hundred years. */
const MAX_EXPIRY = 36_525 * DAY;

/** The instant that an option of a duration means, in whole seconds since 1970; null when it is not given. */
export function expiryFrom(given: Arguments, option: string, command: string, now: Date): number | null {
  const text = given.text(option);
  if (text === undefined) return null;
  const [, amount = "", unit = ""] = /^(\d{1,6})([dw])$/.exec(text) ?? [];
  const long = LONG_UNITS[unit];
  const seconds = long === undefined ? parseDuration(text) : Number(amount) * long;
  if (seconds === null || seconds < 1 || seconds > MAX_EXPIRY) {
    throw new UsageError(`\`--${option}\` must be a duration such as 90d or 12h, not \`${text}\``, command);
  }
  return Math.floor(now.getTime() / 1000 + seconds);
}
