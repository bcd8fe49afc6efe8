/** Reads TwiML as a provider does: a second implementation of `parseTwiml`, on top of fast-xml-parser. */
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** Thrown with the number that a provider logs: 12100 not well-formed, 12102 another root, 12200 not in the schema. */
export class ProviderError extends Error {
  override name = "ProviderError";
  constructor(
    readonly code: 12100 | 12102 | 12200,
    detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}

export interface FaxVerb {
  name: "Receive" | "Reject";
  attributes: Readonly<Record<string, string>>;
}

/** Attribute names of each verb, with a pattern for the value. */
const VERBS: Record<FaxVerb["name"], Record<string, RegExp>> = {
  Receive: {
    action: /./s,
    method: /^(GET|POST)$/,
    mediaType: /^(application\/pdf|image\/tiff)$/,
    pageSize: /^(letter|legal|a4)$/,
    storeMedia: /^(true|false)$/,
  },
  Reject: {},
};

/** An ordered node of fast-xml-parser: one key with its name, and ":@" for its attributes. */
type Node = Record<string, unknown>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // Entities are decoded below, where an unknown entity is an error.
  processEntities: false,
  cdataPropName: "#cdata",
  commentPropName: "#comment",
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** XML 1.0 section 2.2, Char. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** The first verb, or undefined for `<Response/>`. Throws a ProviderError for a document that a provider refuses. */
export function readDocument(xml: string): FaxVerb | undefined {
  const top = content(parse(xml));
  const root = top[0];
  if (top.length !== 1 || root === undefined) throw new ProviderError(12100, "not exactly one root element");
  if (nameOf(root) !== "Response") throw new ProviderError(12102, nameOf(root));
  if (Object.keys(attributesOf(root)).length > 0) throw new ProviderError(12200, "attribute of Response");
  // The whole document is checked; only its first verb is executed.
  return content(root["Response"] as Node[]).map(readVerb)[0];
}

function parse(xml: string): Node[] {
  // The validator does not check characters, comments, and text after the root element.
  if (NOT_XML.test(xml)) throw new ProviderError(12100, "a character that XML does not allow");
  if (/<!--(?:(?!-->)[^])*?--(?!>)/.test(xml)) throw new ProviderError(12100, "'--' in a comment");
  if (!xml.trimEnd().endsWith(">")) throw new ProviderError(12100, "text after the root element");
  const checked = XMLValidator.validate(xml);
  if (checked !== true) throw new ProviderError(12100, checked.err.msg);
  try {
    return parser.parse(xml) as Node[];
  } catch (error) {
    // Names such as "constructor" are legal XML; the parser refuses them, and no verb has one.
    throw new ProviderError(12200, String(error));
  }
}

function readVerb(node: Node): FaxVerb {
  const name = nameOf(node);
  if (!isVerb(name)) throw new ProviderError(12200, name.startsWith("#") ? "text in Response" : `<${name}>`);
  const attributes = attributesOf(node);
  for (const [attribute, value] of Object.entries(attributes)) {
    const rule = Object.hasOwn(VERBS[name], attribute) ? VERBS[name][attribute] : undefined;
    if (!rule) throw new ProviderError(12200, `attribute ${attribute} of ${name}`);
    if (!rule.test(value)) throw new ProviderError(12200, `value of ${attribute}`);
  }
  if (content(node[name] as Node[], true).length > 0) throw new ProviderError(12200, `content in <${name}>`);
  return { name, attributes };
}

function isVerb(name: string): name is FaxVerb["name"] {
  return Object.hasOwn(VERBS, name);
}

function nameOf(node: Node): string {
  return Object.keys(node).find((key) => key !== ":@") ?? "";
}

/** The nodes without comments, and without white space between elements. */
function content(nodes: Node[], keepSpace = false): Node[] {
  return nodes.filter((node) => {
    const text = node["#text"];
    return nameOf(node) !== "#comment" && (typeof text !== "string" || keepSpace || /[^ \t\r\n]/.test(text));
  });
}

function attributesOf(node: Node): Record<string, string> {
  const raw = (node[":@"] ?? {}) as Record<string, string>;
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, attributeValue(value)]));
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** XML 1.0 section 3.3.3: literal white space becomes a space, a character reference is kept. */
function attributeValue(raw: string): string {
  if (raw.includes("<")) throw new ProviderError(12100, "'<' in an attribute value");
  const spaced = raw.replace(/\r\n|[\t\n\r]/g, " ");
  return spaced.replace(/&(?:#x([0-9a-f]+);|#([0-9]+);|([a-z]+);)?/gi, (reference, hex, decimal, name) => {
    const point = hex ? Number.parseInt(hex, 16) : decimal ? Number(decimal) : undefined;
    const char = point !== undefined && point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
    if (char !== undefined && !NOT_XML.test(char)) return char;
    const text = name && Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
    if (text === undefined) throw new ProviderError(12100, `'${reference}' in an attribute value`);
    return text;
  });
}
