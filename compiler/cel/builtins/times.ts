/** Parts of timestamps and durations (cel-spec langdef, "Timestamps" and "Durations"). */
import { DURATION, INT, STRING, TIMESTAMP } from "../types.ts";
import { members, type Overload } from "./overload.ts";

export const times: readonly Overload[] = [
  ...members("getFullYear", "getFullYear1", [[TIMESTAMP], INT]),
  ...members("getFullYear", "getFullYear2", [[TIMESTAMP, STRING], INT]),
  ...members("getMonth", "getMonth1", [[TIMESTAMP], INT]),
  ...members("getMonth", "getMonth2", [[TIMESTAMP, STRING], INT]),
  ...members("getDate", "getDate1", [[TIMESTAMP], INT]),
  ...members("getDate", "getDate2", [[TIMESTAMP, STRING], INT]),
  ...members("getDayOfMonth", "getDayOfMonth1", [[TIMESTAMP], INT]),
  ...members("getDayOfMonth", "getDayOfMonth2", [[TIMESTAMP, STRING], INT]),
  ...members("getDayOfWeek", "getDayOfWeek1", [[TIMESTAMP], INT]),
  ...members("getDayOfWeek", "getDayOfWeek2", [[TIMESTAMP, STRING], INT]),
  ...members("getDayOfYear", "getDayOfYear1", [[TIMESTAMP], INT]),
  ...members("getDayOfYear", "getDayOfYear2", [[TIMESTAMP, STRING], INT]),
  ...members("getHours", "getHours1", [[TIMESTAMP], INT], [[DURATION], INT]),
  ...members("getHours", "getHours2", [[TIMESTAMP, STRING], INT]),
  ...members("getMinutes", "getMinutes1", [[TIMESTAMP], INT], [[DURATION], INT]),
  ...members("getMinutes", "getMinutes2", [[TIMESTAMP, STRING], INT]),
  ...members("getSeconds", "getSeconds1", [[TIMESTAMP], INT], [[DURATION], INT]),
  ...members("getSeconds", "getSeconds2", [[TIMESTAMP, STRING], INT]),
  ...members("getMilliseconds", "getMilliseconds1", [[TIMESTAMP], INT], [[DURATION], INT]),
  ...members("getMilliseconds", "getMilliseconds2", [[TIMESTAMP, STRING], INT]),
];
