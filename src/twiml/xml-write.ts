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
const TO_ESCAPE = /[&<"\t\n\r]/g;
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
  // Most values need no escaping, which a search finds out faster than a replacement.
  const text = value.search(TO_ESCAPE) < 0 ? value : value.replace(TO_ESCAPE, (character) => ESCAPES[character]!);
  return ` ${name}="${text}"`;
}

/** The XML of a document; `content` is the XML inside `<Response>`. */
export function formatDocument(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>` + (content ? `<Response>${content}</Response>` : "<Response/>");
}
