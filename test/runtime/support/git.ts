/** Repositories for tests, made with the real git. */
import { execFileSync } from "node:child_process";

/** Whether git is installed. */
export const HAS_GIT = (() => {
  try {
    execFileSync("git", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

/** Runs git in a directory as somebody; what it says. Throws when it fails. */
export function git(directory: string, ...given: string[]): string {
  const identity = [
    "-c",
    "user.name=test",
    "-c",
    "user.email=test@example.invalid",
    "-c",
    "commit.gpgsign=false",
  ];
  return execFileSync("git", [...identity, ...given], {
    cwd: directory,
    encoding: "utf8",
    stdio: "pipe",
  }).trim();
}
