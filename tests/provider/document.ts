// Checks an answer as a provider does and reads the verb that it asks for (protocol section 2).
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { MAX_DOCUMENT_BYTES } from "./transport.js";
import type { TransportResponse } from "./transport.js";

/** The providers' own codes; each is a page of Twilio's error dictionary. */
export const ERRORS = {
  11100: "Invalid URL format",
  11200: "HTTP retrieval failure: no answer in time, no connection, or a status that is no success",
  11215: "Too many HTTP redirects",
  11750: "Response body over 64 kB",
  12100: "Document parse failure: the document is not well-formed",
  12102: "The root element must be Response",
  12200: "Schema validation: unknown verb, attribute, value or content; names are case-sensitive",
  12300: "Invalid Content-Type: text/xml or application/xml is expected",
  34106: "No Fax TwiML action specified",
} as const;

export type ErrorCode = keyof typeof ERRORS;

export class ProviderError extends Error {
  override name = "ProviderError";
  code: ErrorCode;
  constructor(code: ErrorCode, detail?: string) {
    super(detail === undefined ? ERRORS[code] : `${ERRORS[code]} (${detail})`);
    this.code = code;
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

/** The first verb of the answer; undefined for `<Response/>`. Throws ProviderError for what a provider refuses. */
export function readAnswer(response: Pick<TransportResponse, "headers" | "bytes" | "tooLarge">): FaxVerb | undefined {
  if (response.tooLarge || response.bytes.byteLength > MAX_DOCUMENT_BYTES) throw new ProviderError(11750);
  const contentType = response.headers.get("content-type") ?? "";
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "text/xml" && mediaType !== "application/xml") {
    throw new ProviderError(12300, contentType || "none was sent");
  }
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1];
  return readDocument(decode(response.bytes, charset));
}

function decode(bytes: Uint8Array, charset = "utf-8"): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw new ProviderError(12100, `not readable as ${charset}`);
  }
}

/** An ordered node of fast-xml-parser: one key that names it, and ":@" for its attributes. */
type Node = Record<string, unknown>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // Entities are decoded below, where an unknown one is an error.
  processEntities: false,
  cdataPropName: "#cdata",
  commentPropName: "#comment",
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** XML 1.0 section 2.2, Char. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

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
  // What the validator does not look at: characters, comments, and text after the root element.
  if (NOT_XML.test(xml)) throw new ProviderError(12100, "a character that XML does not allow");
  if (/<!--(?:(?!-->)[^])*?--(?!>)/.test(xml)) throw new ProviderError(12100, "'--' in a comment");
  if (!xml.trimEnd().endsWith(">")) throw new ProviderError(12100, "text after the root element");
  const checked = XMLValidator.validate(xml);
  if (checked !== true) throw new ProviderError(12100, checked.err.msg);
  try {
    return parser.parse(xml) as Node[];
  } catch (error) {
    // Names such as "constructor" are legal XML; the parser refuses them, and no verb has one.
    throw new ProviderError(12200, error instanceof Error ? error.message : undefined);
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

/** The nodes that mean something: no comments, and no white space between elements. */
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

/** XML 1.0 section 3.3.3: literal white space becomes a space, a character reference stays what it is. */
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
