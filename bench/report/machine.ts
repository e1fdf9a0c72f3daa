/** What the figures were measured on. Figures of different machines are not comparable; ratios of one run are. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type as systemName } from "node:os";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGibibytes: number;
  readonly system: string;
  readonly node: string;
  /** Of the processes that wait for a processor when the run starts, over the last minute: other work on the machine. */
  readonly loadAverage: number;
  /** Abbreviated git commit, with `+` when files are changed; "" outside a git checkout. */
  readonly commit: string;
}

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

export function describeMachine(): Machine {
  const processors = cpus();
  const commit = git("rev-parse", "--short", "HEAD");
  const changed = commit !== "" && git("status", "--porcelain", "--untracked-files=no") !== "";
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    system: `${systemName()} ${release()}`,
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
    commit: commit + (changed ? "+" : ""),
  };
}
