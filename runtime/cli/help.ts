/** Help texts, derived from the commands' own descriptions. */
import type { Command } from "./command.ts";

/** `edict help`: the list of commands. */
export function overview(commands: readonly Command[], later: Readonly<Record<string, string>>): string {
  const rows = commands.map((command) => [command.name, command.summary] as const);
  const laterRows = Object.entries(later).map(
    ([name, summary]) => [name, `${summary} (not available yet)`] as const,
  );
  return [
    "edict: decisions from Cerbos policies, at the speed of a memory lookup",
    "",
    "usage: edict <command> [options]",
    "",
    ...table([
      ...rows,
      ...laterRows,
      ["help", "show help, also for one command: edict help serve"],
      ["version", "show the version"],
    ]),
    "",
    "exit codes: 0 ok, 1 the answer is no, 2 wrong use, 3 invalid policies, 4 could not serve",
    "",
  ].join("\n");
}

/** `edict <command> --help`. */
export function commandHelp(command: Command): string {
  const rows = Object.entries(command.options).map(([name, spec]) => {
    const short = spec.short === undefined ? "" : `-${spec.short}, `;
    const value = spec.type === "boolean" ? "" : ` ${spec.value ?? "<value>"}`;
    return [`${short}--${name}${value}`, spec.help] as const;
  });
  return [
    `edict ${command.name}: ${command.summary}`,
    "",
    `usage: edict ${command.name} ${command.usage}`,
    "",
    ...table([...rows, ["--help", "show this"]]),
    "",
    "examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}
