/** XML 1.0: which text it can carry and how attribute values and comments are written. No other file knows its syntax. */

/**
 * What XML 1.0 cannot carry, even escaped: control characters but tab, newline and carriage return, U+FFFE, U+FFFF and
 * lone surrogates (the u flag reads pairs as one character). https://www.w3.org/TR/xml/#charsets
 */
const NOT_CHAR = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** NameStartChar and NameChar without the colon, which would need a namespace declaration. https://www.w3.org/TR/xml-names/#NT-NCName */
const START =
  "A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const NAME = new RegExp(`^[${START}][-.\\d\\xB7\\u0300-\\u036F\\u203F\\u2040${START}]*$`, "u");

/**
 * What must not stand literally in a double-quoted attribute value: a reader would turn literal tabs and line ends into
 * spaces. https://www.w3.org/TR/xml/#AVNormalize
 */
const ESCAPES: Record<string, string> = {
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

/**
 * Whether `name` can be an attribute's name; names that begin with "xml" are reserved (XML 1.0, section 2.3),
 * and U+1680 and U+FEFF, which XML takes for letters, are white space to readers written in JavaScript.
 */
export function isAttributeName(name: string): boolean {
  return NAME.test(name) && !/^xml|\s/i.test(name);
}

/** An empty-element tag with the own properties of `attributes`, in their order. Names and values have been checked before. */
export function element(name: string, ...attributes: (Readonly<Record<string, unknown>> | undefined)[]): string {
  let tag = "<" + name;
  for (const group of attributes) {
    if (group) for (const key of Object.keys(group)) tag += ` ${key}="${escape(String(group[key]))}"`;
  }
  return tag + "/>";
}

function escape(value: string): string {
  return value.replace(/[&<"\t\n\r]/g, (c) => ESCAPES[c]!);
}

/** A comment. The caller has made sure that `text` holds no `--`, the one thing that a comment cannot say. */
export function comment(text: string): string {
  return `<!-- ${text} -->`;
}

/** The whole document around what stands inside `<Response>`. */
export function document(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>` + (content ? `<Response>${content}</Response>` : "<Response/>");
}
