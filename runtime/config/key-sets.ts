/**
 * `auxData.jwt.keySets` of a configuration as key set options. Only what can be told from the text is checked here; keys
 * are read when the daemon starts.
 */
import { DEFAULT_REFRESH_SECONDS, type KeySetOptions, type KeySource } from "../aux-data/options.ts";
import { parseDuration } from "./values.ts";

type Section = Readonly<Record<string, unknown>>;

/** The key sets, or what is wrong with the first one that is wrong, as the rest of a sentence about the key. */
export function readKeySets(value: unknown): readonly KeySetOptions[] | string {
  if (!Array.isArray(value)) return "must be a list";
  const sets: KeySetOptions[] = [];
  for (const [index, entry] of (value as readonly unknown[]).entries()) {
    const set = readKeySet(entry);
    if (typeof set === "string") return `${set} (entry ${index})`;
    if (sets.some(({ id }) => id === set.id)) return `has the id \`${set.id}\` twice (entry ${index})`;
    sets.push(set);
  }
  return sets;
}

function readKeySet(value: unknown): KeySetOptions | string {
  const set = sectionOf(value, ["id", "local", "remote", "insecure"]);
  if (typeof set === "string") return set;
  const insecure = sectionOf(set["insecure"] ?? {}, ["optionalAlg", "optionalKid"]);
  if (typeof insecure === "string") return insecure;
  const { local = null, remote = null } = set;
  if ((local === null) === (remote === null)) return "needs exactly one of `local` and `remote`";
  const source = local === null ? readRemote(remote) : readLocal(local);
  if (typeof source === "string") return source;
  const id = set["id"] ?? "";
  if (typeof id !== "string" && typeof id !== "number") return "needs a text as `id`";
  const { optionalAlg = false, optionalKid = false } = insecure;
  if (typeof optionalAlg !== "boolean" || typeof optionalKid !== "boolean") {
    return "needs true or false under `insecure`";
  }
  return { id: String(id), source, optionalAlg, optionalKid };
}

function readLocal(value: unknown): KeySource | string {
  const local = sectionOf(value, ["data", "file", "pem"]);
  if (typeof local === "string") return local;
  const { pem = false } = local;
  const [data, file] = [local["data"] ?? "", local["file"] ?? ""];
  if (typeof pem !== "boolean") return "needs true or false as `pem`";
  if (typeof data !== "string" || typeof file !== "string") return "needs text as `data` and `file`";
  if ((data === "") === (file === "")) return "needs exactly one of `local.data` and `local.file`";
  if (file !== "") return { kind: "file", file, pem };
  const compact = data.replaceAll(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    return "needs base64 as `local.data`";
  }
  return { kind: "data", data: Buffer.from(compact, "base64").toString("utf8"), pem };
}

function readRemote(value: unknown): KeySource | string {
  const remote = sectionOf(value, ["url", "refreshInterval"]);
  if (typeof remote === "string") return remote;
  const { url, refreshInterval = null } = remote;
  if (typeof url !== "string" || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return "needs an http or https URL as `remote.url`";
  }
  if (refreshInterval === null) return { kind: "remote", url, refreshSeconds: DEFAULT_REFRESH_SECONDS };
  const seconds = typeof refreshInterval === "string" ? parseDuration(refreshInterval) : null;
  if (seconds === null || seconds < 1) return "needs a duration of at least `1s` as `remote.refreshInterval`";
  return { kind: "remote", url, refreshSeconds: seconds };
}

/** A map with no other keys than `names`. */
function sectionOf(value: unknown, names: readonly string[]): Section | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "must hold maps";
  const unknown = Object.keys(value).find((key) => !names.includes(key));
  return unknown === undefined ? (value as Section) : `has the unknown key \`${unknown}\``;
}
