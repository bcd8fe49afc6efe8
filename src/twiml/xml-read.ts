/** XML 1.0: which text it can carry, how documents are written, how they are read. No other file knows its syntax. */
import { TwimlError } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { readOwn } from "../shared/objects.js";

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
export function formatAttribute(name: string, value: string): string {
  return ` ${name}="${escapeAttribute(value)}"`;
}

function escapeAttribute(value: string): string {
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
export function formatElement(name: string, attributes: string): string {
  return `<${name}${attributes}/>`;
}

/** A comment. The caller has made sure that `text` holds no `--`, the one thing that a comment cannot say. */
export function formatComment(text: string): string {
  return `<!-- ${text} -->`;
}

/** The whole document around what stands inside `<Response>`. */
export function formatDocument(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>` + (content ? `<Response>${content}</Response>` : "<Response/>");
}

/** What stands in a document: an element, or text that is more than white space. Nothing else is kept. */
export type XmlNode = XmlElement | XmlText;
/** An element; `at` is where its `<` stands in the text. */
export interface XmlElement {
  readonly at: number;
  readonly name: string;
  readonly attributes: Map<string, XmlAttribute>;
  readonly content: XmlNode[];
}
/** Text, as it is written, and where it begins. */
export interface XmlText {
  readonly at: number;
  readonly text: string;
}
/** The normalised value of an attribute; `at` is where the attribute's name stands. */
export interface XmlAttribute {
  readonly at: number;
  readonly value: string;
}

/** What is being read, and how far. */
interface Cursor {
  readonly text: string;
  at: number;
}

/**
 * Section 2.3, production 5; the look-ahead names what a name can hold but not begin with. Patterns are sticky: they
 * match at the cursor. White space is `[ \t\n]`, because `\s` is more than XML's.
 */
const NAME =
  /(?![-.\d\xB7\u0300-\u036F\u203F\u2040])[-.:\w\xB7\xC0-\xD6\xD8-\xF6\xF8-\u037D\u037F-\u1FFF\u200C\u200D\u203F\u2040\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\u{10000}-\u{EFFFF}]+/uy;
const SPACE = /[ \t\n]*/y;
const TAG_END = /[ \t\n]*\/?>/y;
const END_TAG_END = />/y;
/** Section 2.3, production 10, after the name of an attribute. */
const VALUE = /[ \t\n]*=[ \t\n]*("[^<"]*"|'[^<']*')/y;
/** Sections 2.4 to 2.6. */
const TEXT = /[^<]+/y;
const COMMENT = /<!--(-?[^-])*-->/y;
const INSTRUCTION_END = /([ \t\n][^]*?)?\?>/y;
/** Sections 2.8 and 4.3.3. */
const DECLARATION =
  /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.\d+\1([ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])[Uu][Tt][Ff]-8\3)?([ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(yes|no)\5)?[ \t\n]*\?>/y;
/** Section 4.1; an `&` that begins no reference matches alone. */
const REFERENCE = /&(#x[\da-fA-F]+;|#\d+;|\w+;)?/g;
/** Section 4.6. */
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The document as a reader sees it: without a byte order mark, and with `\n` for every line end (section 2.11). */
export function normalizeText(xml: string): string {
  return xml.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

/** Where in the text `at` is, for people: both count from 1, the column in characters. */
export function locationAt(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split("\n");
  return { line: lines.length, column: [...lines.pop()!].length + 1 };
}

/**
 * The root element of a text that `normalizedText` has returned, or a `TwimlError` for what is not well-formed, and for
 * a DOCTYPE or CDATA. Open elements stand in a list, so that nothing is nested too deeply.
 */
export function parseXml(text: string): XmlElement {
  const cursor = { text, at: text.search(NOT_CHAR) };
  if (cursor.at >= 0) throw malformedError(cursor, `XML cannot carry ${illegalCharacter(text)}`);
  cursor.at = 0;
  tryMatch(cursor, DECLARATION);
  const top = createElement(0, "");
  const open = [top];
  while (cursor.at < text.length) readNode(cursor, open);
  if (open.length > 1) throw malformedError(cursor, `${formatValue(`</${open.pop()!.name}>`)} is missing`);
  const wrong = top.content.find((node, i) => i > 0 || "text" in node);
  if (wrong || top.content.length === 0) {
    throw malformedError({ text, at: wrong?.at ?? cursor.at }, "a document is one element, with nothing beside it");
  }
  return top.content[0] as XmlElement;
}

function createElement(at: number, name: string): XmlElement {
  return { at, name, attributes: new Map(), content: [] };
}

/** Reads one thing. `open` holds the elements that it stands in, after one for the document. */
function readNode(cursor: Cursor, open: XmlElement[]): void {
  const start = cursor.text.slice(cursor.at, cursor.at + 4);
  if (start === "<!--") expectMatch(cursor, COMMENT, `a comment that ends with "-->" and holds no other "--"`);
  else if (start.startsWith("<?")) readInstruction(cursor);
  else if (start.startsWith("</")) readEndTag(cursor, open);
  else if (start.startsWith("<")) readStartTag(cursor, open);
  else readCharacterData(cursor, open.at(-1)!);
}

function readCharacterData(cursor: Cursor, parent: XmlElement): void {
  tryMatch(cursor, SPACE);
  const { at } = cursor;
  const text = tryMatch(cursor, TEXT);
  const end = text.indexOf("]]>");
  if (end >= 0) throw malformedError({ ...cursor, at: at + end }, `"]]>" is written "]]&gt;"`);
  resolveReferences({ ...cursor, at }, text);
  if (text) parent.content.push({ at, text });
}

/** The name "xml" is reserved for the declaration, which has been read if it is one. */
function readInstruction(cursor: Cursor): void {
  const start = { ...cursor };
  cursor.at += 2;
  if (readName(cursor).toLowerCase() === "xml") {
    throw malformedError(start, `the XML declaration stands first, and is <?xml version="1.0" encoding="UTF-8"?>`);
  }
  expectMatch(cursor, INSTRUCTION_END, `"?>"`);
}

function readEndTag(cursor: Cursor, open: XmlElement[]): void {
  const start = { ...cursor };
  const { name } = open.at(-1)!;
  cursor.at += 2;
  if (readName(cursor) !== name) {
    throw malformedError(start, name ? `${formatValue(`</${name}>`)} is expected here` : "there is no element to end");
  }
  tryMatch(cursor, SPACE);
  expectMatch(cursor, END_TAG_END, `">"`);
  open.pop();
}

function readStartTag(cursor: Cursor, open: XmlElement[]): void {
  const { at } = cursor;
  cursor.at++;
  const element = createElement(at, readName(cursor));
  open.at(-1)!.content.push(element);
  let end = tryMatch(cursor, TAG_END);
  while (end === "") {
    readAttribute(cursor, element.attributes);
    end = tryMatch(cursor, TAG_END);
  }
  if (!end.endsWith("/>")) open.push(element);
}

/** White space in a value becomes spaces, unless it is written as a reference (section 3.3.3). */
function readAttribute(cursor: Cursor, attributes: Map<string, XmlAttribute>): void {
  expectMatch(cursor, SPACE, `a space or ">"`);
  const start = { ...cursor };
  const name = readName(cursor);
  if (attributes.has(name)) throw malformedError(start, `the attribute ${formatValue(name)} is there twice`);
  const found = expectMatch(cursor, VALUE, `="…" without "<"`);
  const raw = found.slice(found.search(/["']/) + 1, -1);
  const value = resolveReferences({ ...cursor, at: cursor.at - 1 - raw.length }, raw.replace(/[\t\n]/g, " "));
  attributes.set(name, { at: start.at, value });
}

function readName(cursor: Cursor): string {
  return expectMatch(cursor, NAME, `a name (TwiML has no DOCTYPE or CDATA, and "<" is written "&lt;")`);
}

/** The text, which begins at the cursor, with its references resolved. */
function resolveReferences(cursor: Cursor, text: string): string {
  return text.replace(REFERENCE, (all, reference: string | undefined, offset: number) => {
    const character = resolveReference(reference ?? "");
    if (character !== undefined) return character;
    throw malformedError(
      { ...cursor, at: cursor.at + offset },
      `${formatValue(all)} stands for no character: "&" is written "&amp;"`,
    );
  });
}

/** What `amp;`, `#38;` or `#x26;` stands for. */
function resolveReference(reference: string): string | undefined {
  const name = reference.slice(0, -1);
  if (name[0] !== "#") return readOwn(ENTITIES, name) as string | undefined;
  const code = Number(name.replace("#x", "0x").replace("#", ""));
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : "\0";
  return NOT_CHAR.test(character) ? undefined : character;
}

/** What the pattern matches at the cursor, which moves behind it. */
function tryMatch(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? "";
  cursor.at += found.length;
  return found;
}

/** What `take` gives, which must be something. */
function expectMatch(cursor: Cursor, pattern: RegExp, what: string): string {
  const found = tryMatch(cursor, pattern);
  if (found === "") throw malformedError(cursor, `expected here is ${what}`);
  return found;
}

function malformedError(cursor: Cursor, problem: string): TwimlError {
  return new TwimlError("malformed", `${problem}.`, locationAt(cursor.text, cursor.at));
}
