/** Parsing XML 1.0: from the text of a document to a tree of elements. */
import { TwimlError } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { readOwn } from "../shared/objects.js";
import { illegalCharacter, NOT_CHAR } from "./xml-write.js";

/** An element, or text that is not only whitespace. Comments and processing instructions are dropped. */
export type XmlNode = XmlElement | XmlText;
/** An element; `at` is the index of its `<` in the text. */
export interface XmlElement {
  readonly at: number;
  readonly name: string;
  readonly attributes: Map<string, XmlAttribute>;
  readonly content: XmlNode[];
}
/** Text, whose references are not resolved; `at` is the index of its first character. */
export interface XmlText {
  readonly at: number;
  readonly text: string;
}
/** The normalized value of an attribute; `at` is the index of its name. */
export interface XmlAttribute {
  readonly at: number;
  readonly value: string;
}

/** The text, and the index up to which it has been read. */
interface Cursor {
  readonly text: string;
  at: number;
}

/**
 * Section 2.3, production 5. The look-ahead excludes characters that a name can contain but not start with. Patterns
 * are sticky: they match at the cursor. Whitespace is `[ \t\n]`, because `\s` matches more characters than XML allows.
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
/** Section 4.1. Also matches an `&` that does not begin a reference. */
const REFERENCE = /&(#x[\da-fA-F]+;|#\d+;|\w+;)?/g;
/** Section 4.6. */
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Removes a byte order mark, and converts all line ends to `\n` (section 2.11). */
export function normalizeText(xml: string): string {
  return xml.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

/** Line and column of the index `at`. Both count from 1; columns are characters (code points). */
export function locationAt(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split("\n");
  return { line: lines.length, column: [...lines.pop()!].length + 1 };
}

/**
 * Parses a text returned by `normalizeText`, and returns the root element. Throws a `TwimlError` if the text is not
 * well-formed, or has a DOCTYPE or CDATA. Open elements are in a list, not on the call stack, so depth is not limited.
 */
export function parseXml(text: string): XmlElement {
  const cursor = { text, at: text.search(NOT_CHAR) };
  if (cursor.at >= 0) throw malformedError(cursor, `XML does not allow ${illegalCharacter(text)}`);
  cursor.at = 0;
  tryMatch(cursor, DECLARATION);
  const top = createElement(0, "");
  const open = [top];
  while (cursor.at < text.length) readNode(cursor, open);
  if (open.length > 1) throw malformedError(cursor, `expected ${formatValue(`</${open.pop()!.name}>`)}`);
  const wrong = top.content.find((node, i) => i > 0 || "text" in node);
  if (wrong || top.content.length === 0) {
    throw malformedError(
      { text, at: wrong?.at ?? cursor.at },
      "a document must have exactly one root element and no other content",
    );
  }
  return top.content[0] as XmlElement;
}

function createElement(at: number, name: string): XmlElement {
  return { at, name, attributes: new Map(), content: [] };
}

/** Reads the next node. `open` is the stack of open elements. Its first entry represents the document. */
function readNode(cursor: Cursor, open: XmlElement[]): void {
  const start = cursor.text.slice(cursor.at, cursor.at + 4);
  if (start === "<!--") expectMatch(cursor, COMMENT, `a comment that ends with "-->" and contains no other "--"`);
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
  if (end >= 0) throw malformedError({ ...cursor, at: at + end }, `text cannot contain "]]>". Write it as "]]&gt;"`);
  resolveReferences({ ...cursor, at }, text);
  if (text) parent.content.push({ at, text });
}

/** The name "xml" is reserved for the declaration. A valid declaration at the beginning has already been read. */
function readInstruction(cursor: Cursor): void {
  const start = { ...cursor };
  cursor.at += 2;
  const name = readName(cursor);
  if (name.toLowerCase() === "xml") {
    throw malformedError(
      start,
      `the XML declaration must be valid and at the beginning, such as <?xml version="1.0" encoding="UTF-8"?>`,
    );
  }
  // Namespaces in XML 1.0, section 7.
  if (name.includes(":")) throw malformedError(start, `the name of a processing instruction cannot contain ":"`);
  expectMatch(cursor, INSTRUCTION_END, `"?>"`);
}

function readEndTag(cursor: Cursor, open: XmlElement[]): void {
  const start = { ...cursor };
  const { name } = open.at(-1)!;
  cursor.at += 2;
  if (readName(cursor) !== name) {
    throw malformedError(start, name ? `expected ${formatValue(`</${name}>`)}` : "unexpected end tag");
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

/** Tabs and line ends in a value become spaces, unless written as references (section 3.3.3). */
function readAttribute(cursor: Cursor, attributes: Map<string, XmlAttribute>): void {
  expectMatch(cursor, SPACE, `a space or ">"`);
  const start = { ...cursor };
  const name = readName(cursor);
  if (attributes.has(name)) throw malformedError(start, `duplicate attribute ${formatValue(name)}`);
  const found = expectMatch(cursor, VALUE, `"=" and a quoted value without "<"`);
  const raw = found.slice(found.search(/["']/) + 1, -1);
  const value = resolveReferences({ ...cursor, at: cursor.at - 1 - raw.length }, raw.replace(/[\t\n]/g, " "));
  attributes.set(name, { at: start.at, value });
}

function readName(cursor: Cursor): string {
  return expectMatch(cursor, NAME, `a name. Write a literal "<" as "&lt;"; DOCTYPE and CDATA are not allowed`);
}

/** Resolves the references in `text`, which starts at the cursor. */
function resolveReferences(cursor: Cursor, text: string): string {
  return text.replace(REFERENCE, (all, reference: string | undefined, offset: number) => {
    const character = resolveReference(reference ?? "");
    if (character !== undefined) return character;
    throw malformedError(
      { ...cursor, at: cursor.at + offset },
      `${formatValue(all)} is not a valid reference. Write a literal "&" as "&amp;"`,
    );
  });
}

/** The character of `amp;`, `#38;` or `#x26;`; `undefined` if the name is unknown or XML forbids the character. */
function resolveReference(reference: string): string | undefined {
  const name = reference.slice(0, -1);
  if (name[0] !== "#") return readOwn(ENTITIES, name) as string | undefined;
  const code = Number(name.replace("#x", "0x").replace("#", ""));
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : "\0";
  return NOT_CHAR.test(character) ? undefined : character;
}

/** Matches the pattern at the cursor and advances past the match. Returns "" if there is no match. */
function tryMatch(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? "";
  cursor.at += found.length;
  return found;
}

/** Matches the pattern as `tryMatch` does. Throws if there is no match; `what` is the expected syntax. */
function expectMatch(cursor: Cursor, pattern: RegExp, what: string): string {
  const found = tryMatch(cursor, pattern);
  if (found === "") throw malformedError(cursor, `expected ${what}`);
  return found;
}

function malformedError(cursor: Cursor, problem: string): TwimlError {
  return new TwimlError("malformed", `${problem}.`, locationAt(cursor.text, cursor.at));
}
