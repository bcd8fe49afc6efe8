/** Strict parsing of Content-Type and other headers with parameters. */

/** A header's value in lower case, and its parameters by lower-case name. */
export interface HeaderValue {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** A media type in lower case, and its parameters by lower-case name. */
export interface ContentType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const FORM_TYPE = "application/x-www-form-urlencoded";

/** The media type of a form, also with the charset that some providers and servers add. */
const COMMON_FORM_TYPE = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/** Whether a Content-Type is that of a form. The common values are matched first, because parsing takes longer. */
export function isFormType(header = ""): boolean {
  return COMMON_FORM_TYPE.test(header) || parseContentType(header)?.type === FORM_TYPE;
}

/** Parses a Content-Type (RFC 9110, section 8.3.1). Returns undefined for a malformed or ambiguous header. */
export function parseContentType(header: string | undefined): ContentType | undefined {
  const { value, parameters } = parseHeader(header) ?? {};
  return parameters && /^[^/]+\/[^/]+$/.test(value!) ? { type: value!, parameters } : undefined;
}

const TOKEN_PATTERN = "[!#$%&'*+.^`|~\\w-]+";

/** A token. RFC 9110, section 5.6.2. */
export const TOKEN = new RegExp(`^${TOKEN_PATTERN}$`);

/** A control character other than the tab. */
export const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** The value and the whitespace around it. */
const VALUE = /[ \t]*([!#$%&'*+.^`|~\w/-]+)[ \t]*/y;

/** A quoted string. RFC 9110, section 5.6.4. */
const { source: QUOTED } = /"((?:[\t -!#-[\]-~\x80-\uffff]|\\[\t -~\x80-\uffff])*)"/;

/**
 * A parameter, whose value is a quoted string or a token. It may be empty. RFC 9110, section 5.6.6. Also matches the
 * empty parameters before it: a match for each would take ten times as long.
 */
const PARAMETER = new RegExp(`;[ \\t;]*(?:(${TOKEN_PATTERN})=(?:${QUOTED}|(${TOKEN_PATTERN}))[ \\t]*)?`, "y");

/** A backslash and the character that it escapes. RFC 9110, section 5.6.4. */
const QUOTED_PAIR = /\\(.)/g;

/** Parses a value with parameters. Returns undefined for a malformed header and for a repeated parameter. */
export function parseHeader(header: string | undefined): HeaderValue | undefined {
  return parseParameters(header, [PARAMETER], QUOTED_PAIR);
}

/**
 * A filename outside the grammar, as encoders write it: with quotes (`"a"b.pdf"`), control characters, a backslash at
 * its end, or unquoted spaces. It ends before a semicolon, so that other parsers find no other parameter in it.
 */
const FILENAME = /;[ \t;]*(filename)=(?:"((?:[^"\\]|\\.)*|.*?)"|([^"; \t]+(?:[ \t]+[^"; \t]+)*))[ \t]*(?=;|$)/iy;

/** An escaped quote or backslash. Any other backslash is literal, because browsers and curl do not escape `C:\fax`. */
const ESCAPED_QUOTE = /\\(["\\])/g;

/** Parses a Content-Disposition (RFC 7578, section 4.2) as {@link parseHeader} does, but with any filename. */
export function parseDisposition(header: string | undefined): HeaderValue | undefined {
  return parseParameters(header, [FILENAME, PARAMETER], ESCAPED_QUOTE);
}

function parseParameters(
  header: string | undefined,
  patterns: readonly RegExp[],
  escape: RegExp,
): HeaderValue | undefined {
  if (header === undefined) return undefined;
  const parameters = new Map<string, string>();
  VALUE.lastIndex = 0;
  const value = VALUE.exec(header)?.[1];
  if (value === undefined) return undefined;
  for (let at = VALUE.lastIndex; at < header.length;) {
    const match = matchAt(patterns, header, at);
    if (match === undefined) return undefined;
    at += match[0].length;
    const [, name, quoted, token] = match;
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), quoted?.replace(escape, "$1") ?? token!);
  }
  return { value: value.toLowerCase(), parameters };
}

/** The match of the first of the sticky patterns that matches at a position. */
function matchAt(patterns: readonly RegExp[], text: string, at: number): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) return match;
  }
  return undefined;
}
