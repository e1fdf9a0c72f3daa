/**
 * Environment variables in configuration values: `${VAR}`, `${VAR:default}`, and `$$` for a dollar sign. Only values are
 * expanded, after the file has been parsed, so the environment can never add keys (Cerbos expands the file's text).
 */

/** Expands `text`; the reason when a variable is unset and has no default, or a brace is missing. */
export function expand(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly value: string } | { readonly problem: string } {
  let value = "";
  let position = 0;
  for (;;) {
    const dollar = text.indexOf("$", position);
    if (dollar < 0) return { value: value + text.slice(position) };
    value += text.slice(position, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      value += "$";
      position = dollar + 2;
    } else if (next === "{") {
      const end = text.indexOf("}", dollar);
      if (end < 0) return { problem: `\`${text.slice(dollar)}\` has no closing brace` };
      const found = lookUp(text.slice(dollar + 2, end), environment);
      if (found === null)
        return { problem: `environment variable \`${text.slice(dollar + 2, end)}\` is not set` };
      value += found;
      position = end + 1;
    } else {
      value += "$";
      position = dollar + 1;
    }
  }
}

/** `NAME` or `NAME:default`; null when unset without a default. */
function lookUp(reference: string, environment: Readonly<Record<string, string | undefined>>): string | null {
  const colon = reference.indexOf(":");
  const name = colon < 0 ? reference : reference.slice(0, colon);
  const set = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return set ?? (colon < 0 ? null : reference.slice(colon + 1));
}
