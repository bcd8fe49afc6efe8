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

/** The type of a form, with the charset that providers and servers add. */
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

/** A token. RFC 9110, section 5.6.2. */
export const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/;

/** A control character other than the tab. */
export const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** The value and the whitespace around it. */
const VALUE = /[ \t]*([!#$%&'*+.^`|~\w/-]+)[ \t]*/y;

/** A parameter, whose value is a token or a quoted string. It may be empty. RFC 9110, section 5.6.6. */
const PARAMETER = /;[ \t]*(?:([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?/y;

/** Parses a value with parameters. Returns undefined for a malformed header and for a repeated parameter. */
export function parseHeader(header: string | undefined): HeaderValue | undefined {
  if (header === undefined || CONTROL.test(header)) return undefined;
  VALUE.lastIndex = 0;
  const value = VALUE.exec(header)?.[1];
  if (value === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (let at = VALUE.lastIndex; at < header.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(header);
    if (match === null) return undefined;
    const [, name, token, quoted] = match;
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), token ?? unquote(quoted!));
  }
  return { value: value.toLowerCase(), parameters };
}

/**
 * Removes the backslashes before quotes and backslashes. Any other backslash is literal, because browsers and curl do
 * not escape backslashes (`C:\fax`).
 */
function unquote(text: string): string {
  return text.replace(/\\(["\\])/g, "$1");
}
