/** Where the daemon is: what the client takes as an address, in the form of Node's HTTP client. */

export interface Address {
  readonly target: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  /** For messages. */
  readonly text: string;
}

/** `http://host:port` or `unix:/path`. Throws `TypeError` for anything else. */
export function clientAddress(text: string): Address {
  if (text.startsWith("unix:") && text.length > "unix:".length) {
    return { target: { socketPath: text.slice("unix:".length) }, text };
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "http:" || url.pathname !== "/" || url.search !== "") {
    throw new TypeError(`\`${text}\` is not an address such as \`http://127.0.0.1:3592\` or \`unix:/path\``);
  }
  const host = url.hostname.replaceAll(/^\[|\]$/g, "");
  return { target: { host, port: url.port === "" ? 80 : Number(url.port) }, text };
}
