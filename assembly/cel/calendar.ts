/**
 * The proleptic Gregorian calendar over day numbers (day 0 is 1970-01-01), for years far beyond 1..9999,
 * because a zone offset may push a timestamp over either end. It knows neither time zones nor leap seconds.
 *
 * Both directions count from 1 March of year 0, so that the leap day is the last day of a year.
 */

const DAYS_PER_ERA: i64 = 146097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_SHIFT: i64 = 719468;

export const SECONDS_PER_DAY: i64 = 86400;

/** Year, month 1..12, day 1..31 and day of the year 0..365 of the last `splitDay`. */
export let splitYear: i64 = 0;
export let splitMonth: i32 = 1;
export let splitDate: i32 = 1;
export let splitDayOfYear: i32 = 0;

/** Division that rounds down; `divisor` is positive. */
export function floorDivide(value: i64, divisor: i64): i64 {
  const quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

export function isLeapYear(year: i64): bool {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/** Days of a month, 1..12. */
export function daysInMonth(year: i64, month: i32): i32 {
  if (month == 2) return isLeapYear(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** The day number of a date that exists. */
export function dayNumber(year: i64, month: i32, date: i32): i64 {
  const shifted = month <= 2 ? year - 1 : year;
  const era = floorDivide(shifted, 400);
  const yearOfEra = shifted - era * 400;
  const monthFromMarch: i64 = month > 2 ? month - 3 : month + 9;
  const dayOfYear = (153 * monthFromMarch + 2) / 5 + <i64>date - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_SHIFT;
}

/** Sets the `split*` variables to the date of a day number. */
export function splitDay(day: i64): void {
  const shifted = day + EPOCH_SHIFT;
  const era = floorDivide(shifted, DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const monthFromMarch = (5 * dayFromMarch + 2) / 153;
  splitDate = <i32>(dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1);
  splitMonth = <i32>(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
  splitYear = yearOfEra + era * 400 + (splitMonth <= 2 ? 1 : 0);
  const beforeMarch: i64 = isLeapYear(splitYear) ? 60 : 59;
  splitDayOfYear = <i32>(splitMonth <= 2 ? dayFromMarch - 306 : dayFromMarch + beforeMarch);
}

/** Day of the week of a day number, Sunday = 0. */
export function dayOfWeek(day: i64): i32 {
  return <i32>(day + 4 - floorDivide(day + 4, 7) * 7);
}
