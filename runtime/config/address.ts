/** Listen addresses as Cerbos writes them: `:3592`, `host:port`, `[::1]:port`, `unix:/path`. */

export type ListenAddress =
  /** An empty host is every interface. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Longest path of a Unix socket in bytes on Linux (108 with the terminating zero). */
const MAX_SOCKET_PATH = 107;

/** Parses an address; the reason as a string when it is none. An empty host means every interface. */
export function parseAddress(text: string): ListenAddress | string {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    if (path === "") return `\`${text}\` names no socket path`;
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
      return `the socket path is longer than ${MAX_SOCKET_PATH} bytes`;
    return { kind: "unix", path };
  }
  const match = /^(?:\[(?<six>[0-9A-Fa-f:.%\w]+)\]|(?<host>[^:[\]/\s]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.["port"] ?? Number.NaN);
  if (match === null || !(port <= 65_535)) {
    return `\`${text}\` is not an address such as \`127.0.0.1:3592\`, \`:3592\` or \`unix:/path\``;
  }
  const host = match.groups?.["six"] ?? match.groups?.["host"] ?? "";
  return { kind: "tcp", host, port };
}
