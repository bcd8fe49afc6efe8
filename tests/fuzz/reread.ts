/** A TwiML reader that uses fast-xml-parser, and throws for whatever a strict XML reader refuses. */
import { XMLParser, XMLValidator } from "fast-xml-parser";

export interface Reread {
  readonly verbs: { readonly name: string; readonly attributes: [name: string, value: string][] }[];
  readonly comments: string[];
}

type Node = Record<string, unknown>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  // A prefix keeps names such as "constructor" and "__proto__" apart from inherited properties.
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // The parser does not decode numeric references and unknown entities; decodeValue does.
  processEntities: false,
  commentPropName: "#comment",
  cdataPropName: "#cdata",
});

/** XML 1.0, section 4.6, the predefined entities. */
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export function reread(xml: string): Reread {
  for (const char of xml)
    if (!isChar(char.codePointAt(0)!)) throw new Error(`not an XML character: ${JSON.stringify(char)}`);
  // The validator accepts only names of ASCII letters.
  const checked = /^[\x00-\x7f]*$/.test(xml.replace(/"[^"]*"/g, '""')) ? XMLValidator.validate(xml) : true;
  if (checked !== true) throw new Error(checked.err.msg);
  const [declaration, root, ...rest] = parser.parse(xml) as Node[];
  if (JSON.stringify(declaration?.[":@"]) !== '{"@version":"1.0","@encoding":"UTF-8"}')
    throw new Error("not the XML declaration");
  if (!root || !("Response" in root) || root[":@"] || rest.length > 0)
    throw new Error("not exactly one bare <Response>");
  const verbs: Reread["verbs"] = [];
  const comments: string[] = [];
  for (const { ":@": attributes = {}, ...node } of root["Response"] as Node[]) {
    const [name, children] = Object.entries(node)[0]!;
    if (name === "#comment") {
      const text = String((children as Node[])[0]?.["#text"]);
      if (text.includes("--") || text.endsWith("-")) throw new Error(`"--" in a comment`);
      comments.push(text);
    } else {
      if (name.startsWith("#") || (children as Node[]).length > 0) throw new Error("text, or children of a verb");
      const pairs = Object.entries(attributes as Record<string, string>);
      verbs.push({ name, attributes: pairs.map(([key, value]) => [key.slice(1), decodeValue(value)]) });
    }
  }
  return { verbs, comments };
}

/** The value of an attribute: XML 1.0, sections 2.3 (no "<"), 3.3.3 (literal white space is a space) and 4.1. */
function decodeValue(raw: string): string {
  if (raw.includes("<")) throw new Error(`"<" in an attribute value`);
  return raw.replace(/\r\n|[\t\n\r]/g, " ").replace(/&([^;&]*;?)/g, (_, reference: string) => {
    const [, hex, decimal, name] = /^(?:#x([\da-fA-F]+)|#(\d+)|(\w+));$/.exec(reference) ?? [];
    if (name !== undefined && Object.hasOwn(ENTITIES, name)) return ENTITIES[name]!;
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? NaN);
    if (!isChar(code)) throw new Error(`"&${reference}" in an attribute value`);
    return String.fromCodePoint(code);
  });
}

/** Whether XML can represent a code point: XML 1.0, section 2.2, production 2. */
export function isChar(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}
