/** Conversions and type tests (cel-spec langdef, "Type Conversions"). */
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
  parameter,
} from "../types.ts";
import { CIDR, IP } from "./network.ts";
import { globals, type Overload } from "./overload.ts";

const A = parameter("A");

export const conversions: readonly Overload[] = [
  ...globals("type", "typeOf", [[A], TYPE]),
  ...globals("dyn", "toDyn", [[A], DYN]),
  ...globals("bool", "toBool", [[BOOL], BOOL], [[STRING], BOOL]),
  ...globals("bytes", "toBytes", [[BYTES], BYTES], [[STRING], BYTES]),
  ...globals("double", "toDouble", [[DOUBLE], DOUBLE], [[INT], DOUBLE], [[STRING], DOUBLE], [[UINT], DOUBLE]),
  ...globals("duration", "toDuration", [[DURATION], DURATION], [[STRING], DURATION]),
  ...globals(
    "int",
    "toInt",
    [[INT], INT],
    [[DOUBLE], INT],
    [[DURATION], INT],
    [[STRING], INT],
    [[TIMESTAMP], INT],
    [[UINT], INT],
  ),
  ...globals(
    "string",
    "toText",
    [[STRING], STRING],
    [[BOOL], STRING],
    [[BYTES], STRING],
    [[DOUBLE], STRING],
    [[DURATION], STRING],
    [[INT], STRING],
    [[TIMESTAMP], STRING],
    [[UINT], STRING],
    [[IP], STRING],
    [[CIDR], STRING],
  ),
  ...globals("timestamp", "toTimestamp", [[TIMESTAMP], TIMESTAMP], [[INT], TIMESTAMP], [[STRING], TIMESTAMP]),
  ...globals("uint", "toUint", [[UINT], UINT], [[DOUBLE], UINT], [[INT], UINT], [[STRING], UINT]),
];
