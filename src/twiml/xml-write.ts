/** Writing XML 1.0: allowed characters and names, attributes, elements, comments and documents. */

/**
 * Characters that XML 1.0 does not allow, even escaped: control characters except tab, newline and carriage return,
 * U+FFFE, U+FFFF and lone surrogates (with the u flag, a pair is one character). https://www.w3.org/TR/xml/#charsets
 */
export const NOT_CHAR = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/**
 * Attribute names: only ASCII, as in all names that providers document. Names that start with "xml" are reserved
 * (section 2.3).
 */
export const ATTRIBUTE_NAME = /^(?!xml)[a-z_][\w.-]*$/i;

/**
 * Characters that are escaped in a double-quoted attribute value. Parsers turn literal tabs and line ends into spaces.
 * https://www.w3.org/TR/xml/#AVNormalize
 */
const TO_ESCAPE = /[&<"\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  '"': "&quot;",
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
};

/** The first character of `text` that XML does not allow, such as "U+0000"; `undefined` if there is none. */
export function illegalCharacter(text: string): string | undefined {
  const code = NOT_CHAR.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : "U+" + code.toString(16).toUpperCase().padStart(4, "0");
}

/** The XML of an attribute, with a leading space. Callers must check the name and the value. */
export function formatAttribute(name: string, value: string): string {
  let escaped = "";
  let rest = value;
  // A replacement with a function takes three times as long.
  for (let at = rest.search(TO_ESCAPE); at >= 0; at = rest.search(TO_ESCAPE)) {
    escaped += rest.slice(0, at) + ESCAPES[rest[at]!];
    rest = rest.slice(at + 1);
  }
  return ` ${name}="${escaped}${rest}"`;
}

/** The XML of a document; `content` is the XML inside `<Response>`. */
export function formatDocument(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>` + (content ? `<Response>${content}</Response>` : "<Response/>");
}
