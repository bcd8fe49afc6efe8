/** XML 1.0: which text it can carry and how documents are written. No other file knows its syntax. */

/**
 * What XML 1.0 cannot carry, even escaped: control characters but tab, newline and carriage return, U+FFFE, U+FFFF and
 * lone surrogates (the u flag reads pairs as one character). https://www.w3.org/TR/xml/#charsets
 */
const NOT_CHAR = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** ASCII letters are enough for what providers document. Names that begin with "xml" are reserved (section 2.3). */
const ATTRIBUTE_NAME = /^(?!xml)[a-z_][\w.-]*$/i;

/**
 * What must not stand literally in a double-quoted attribute value: a reader would turn literal tabs and line ends into
 * spaces. https://www.w3.org/TR/xml/#AVNormalize
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

/** The first character of `text` that XML cannot carry, as `U+0000`, or undefined. */
export function illegalCharacter(text: string): string | undefined {
  const code = NOT_CHAR.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : "U+" + code.toString(16).toUpperCase().padStart(4, "0");
}

/** Whether an attribute can have this name. */
export function isAttributeName(name: string): boolean {
  return ATTRIBUTE_NAME.test(name);
}

/** An attribute with the space before it. Name and value have been checked before. */
export function attribute(name: string, value: string): string {
  return ` ${name}="${escape(value)}"`;
}

function escape(value: string): string {
  let at = value.search(TO_ESCAPE);
  let escaped = "";
  let rest = value;
  while (at >= 0) {
    escaped += rest.slice(0, at) + ESCAPES[rest[at]!];
    rest = rest.slice(at + 1);
    at = rest.search(TO_ESCAPE);
  }
  return escaped + rest;
}

/** An empty element around what `attribute` has written. */
export function element(name: string, attributes: string): string {
  return `<${name}${attributes}/>`;
}

/** A comment. The caller has made sure that `text` holds no `--`, the one thing that a comment cannot say. */
export function comment(text: string): string {
  return `<!-- ${text} -->`;
}

/** The whole document around what stands inside `<Response>`. */
export function document(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>` + (content ? `<Response>${content}</Response>` : "<Response/>");
}
