/**
 * Texts that functions of the language do something with, by what they look like: addresses, paths, instants. A pool mixes
 * what is valid, what is nearly valid and what is not. Request attributes draw from the same pools, so that both
 * sides of a comparison meet.
 */

export const TEXTS = {
  word: ["", "a", "b", "ab", "hello", "Hello World", "aXbXc", "  trim me ", "ünïcødé", "日本語", "a,b,,c", "e\u0301", "x\ty"],
  number: ["0", "1", "-7", "42", "3.5", "1e3", "0x10", "9223372036854775807", "9223372036854775808", "+5", "NaN", "-Infinity", "1_000", " 1"],
  bool: ["true", "false", "t", "F", "1", "0", "TRUE", "True", "yes"],
  instant: [
    "2020-01-01T00:00:00Z",
    "2021-02-28T23:59:59.999999999Z",
    "2024-02-29T12:30:45.5+02:00",
    "1969-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2023-13-01T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2023-01-01",
    "2023-01-01 00:00:00Z",
    "2023-06-15T08:00:00-07:30",
  ],
  duration: ["1h", "90m", "1h30m15s", "-2.5s", "100ms", "5us", "0", "1d", "h", "", "+3m", "1.5h0.25m", "9000000h", "3ns"],
  zone: ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "+05:30", "-02:00", "02:00", "Nowhere/Land", "Z", "", "+25:00"],
  ip: ["10.20.0.1", "10.0.0.255", "192.168.1.1", "127.0.0.1", "::1", "fe80::1", "2001:db8::8a2e:370:7334", "0.0.0.0", "224.0.0.1", "::ffff:10.0.0.1", "256.1.1.1", "1.2.3", "fe80::1%eth0", "01.2.3.4", "ff02::1", ""],
  cidr: ["10.0.0.0/8", "10.20.0.1/16", "192.168.1.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "fe80::/10", "10.0.0.0/33", "10.0.0.0", "::1/128", "127.0.0.0/08", "x/8", ""],
  hierarchy: ["a", "a.b", "a.b.c", "a.b.c.d", "a.x", "b", "", ".", "a..b", "a:b:c", "a.b."],
  spiffe: [
    "spiffe://example.org/ns/a",
    "spiffe://example.org",
    "spiffe://example.org/",
    "spiffe://other.org/ns/a",
    "spiffe://Example.org/x",
    "spiffe://example.org/a//b",
    "spiffe://example.org/a/../b",
    "https://example.org/a",
    "spiffe:///x",
    "",
  ],
  trustDomain: ["example.org", "spiffe://example.org", "other.org", "EXAMPLE.ORG", "a b", "", "spiffe://example.org/x"],
  path: ["/a/b/c.txt", "/a/b", "/a", "/", "a/b", "a/../b", "./a//b/", "", "..", "/a/./b/../c.tar.gz", "C:\\x\\y.txt", "C:foo", "\\\\host\\share\\a", "/.hidden", "c:/a/b"],
  pathPattern: ["/a/*", "/a/b/*", "*.txt", "/*/b", "/a/?", "[ab]/b", "/a/[a-", "/a/**", "", "a/b", "/a/[!b]"],
  regex: ["^a", "b+", "[a-c]*", "(a)(b)?", "^[a-z]+$", "\\d+", "(?i)HELLO", "a|b", "", ".*X.*", "(?P<n>l+)", "\\bWorld\\b", "[[:alpha:]]+", "x{2,3}", "(", "\\pL+", "(?s)a.b"],
  replacement: ["-", "\\1", "\\0", "<\\2>", "", "\\\\", "$1", "\\9"],
  base64: ["aGVsbG8=", "aGVsbG8", "", "_-8=", "/+8=", "not base64!", "w7w="],
  template: ["%s", "%d", "%.2f", "%x", "%X", "%o", "%b", "%e", "%%", "plain", "[%s]"],
} as const satisfies Record<string, readonly string[]>;

export type TextPool = keyof typeof TEXTS;

export const TEXT_POOLS: readonly TextPool[] = Object.keys(TEXTS).filter((name): name is TextPool => name in TEXTS);

type Hint = TextPool | readonly (TextPool | undefined)[];

/** What the string parameters of a function look like, receiver included; a list goes by position. */
const HINTS: ReadonlyMap<string, Hint> = new Map<string, Hint>([
  ["timestamp", "instant"],
  ["duration", "duration"],
  ["bool", "bool"],
  ["int", "number"],
  ["uint", "number"],
  ["double", "number"],
  ["base64.decode", "base64"],
  ["inIPAddrRange", ["ip", "cidr"]],
  ["ip", "ip"],
  ["isIP", "ip"],
  ["ip.isCanonical", "ip"],
  ["containsIP", [undefined, "ip"]],
  ["cidr", "cidr"],
  ["isCIDR", "cidr"],
  ["containsCIDR", [undefined, "cidr"]],
  ["hierarchy", ["hierarchy", "word"]],
  ["spiffeID", "spiffe"],
  ["spiffeTrustDomain", "trustDomain"],
  ["matchesID", "spiffe"],
  ["basePath", "path"],
  ["dirPath", "path"],
  ["extPath", "path"],
  ["volumeName", "path"],
  ["joinPath", "path"],
  ["relPath", "path"],
  ["pathHasPrefix", "path"],
  ["pathMatch", ["path", "pathPattern"]],
  ["pathMatchAnyOf", ["path", "pathPattern"]],
  ["matches", ["word", "regex"]],
  ["regex.extract", ["word", "regex"]],
  ["regex.extractAll", ["word", "regex"]],
  ["regex.replace", ["word", "regex", "replacement"]],
]);

/** The pool for one parameter of a function; functions without a hint take words. */
export function textPool(name: string, position: number): TextPool {
  const hint = HINTS.get(name) ?? (name.startsWith("get") ? ["instant", "zone"] : "word");
  return (typeof hint === "string" ? hint : hint[position]) ?? "word";
}
