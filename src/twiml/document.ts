/** Reading TwiML documents: `parseTwiml`. */
import { TwimlError } from "../shared/errors.js";
import { didYouMean, formatMismatch, formatValue } from "../shared/messages.js";
import { checkSize } from "./response.js";
import { type Verb, parseVerb, secondVerbError, readUncheckedOption, unknownAttributeError } from "./verbs.js";
import { type XmlElement, type XmlNode, normalizeText, locationAt, parseXml } from "./xml-read.js";

/** The options of `parseTwiml`. */
export interface ParseTwimlOptions {
  /**
   * With `true`, attributes that this library does not know are put in the verb's `unchecked`. With `false`, they are
   * errors, as they are for providers. Default: `false`.
   */
  readonly unchecked?: boolean | undefined;
}

/**
 * Parses a TwiML document and returns its verb, as created by `receive` or `reject`. Throws the error that a provider
 * would log, and also for a second verb or lost pages, which providers do not report.
 *
 * Accepts well-formed XML 1.0 with the root `Response` and at most one verb. Comments, processing instructions and
 * whitespace are skipped. A DOCTYPE, CDATA, namespaces and text are errors. The checks run in the providers' order:
 * size, syntax of the whole document, root, then the content from top to bottom.
 *
 * @param xml the document as text, at most 64 kB (65,536 bytes in UTF-8), with or without a byte order mark
 * @param options `unchecked: true` keeps attributes that this library does not know
 * @returns a frozen verb, with typed values (`storeMedia="false"` is `false`), or `undefined` for `<Response/>`
 * @throws {TwimlError} `too-large`; `malformed`; `not-a-response`; `second-verb`; `unknown-verb` (also for an element
 * in a verb); `invalid-value` (also for text); `unknown-attribute`, `invalid-name` and `pages-lost` as for `receive`.
 * Errors in the document, except `too-large`, have a `line` and a `column`, both from 1 (columns count code points).
 * Errors in the arguments are `invalid-value` or `unknown-attribute` without a position.
 * @example
 * parseTwiml('<Response><Receive action="/fax" storeMedia="true"/></Response>');
 * // { verb: "Receive", attributes: { action: "/fax", storeMedia: true } }
 * @see https://www.w3.org/TR/xml/
 * @see https://www.twilio.com/docs/api/errors/12100
 * @see https://www.twilio.com/docs/api/errors/12200
 */
export function parseTwiml(xml: string, options?: ParseTwimlOptions): Verb | undefined {
  const unchecked = readUncheckedOption(options) === true;
  const text = normalizeText(checkSize(requireText(xml)));
  const root = parseXml(text);
  if (root.name !== "Response") throw addLocation(notAResponseError(root.name), text, root.at);
  for (const [name, { at }] of root.attributes) {
    throw addLocation(unknownAttributeError("Response", new Map(), name), text, at);
  }
  let verb: Verb | undefined;
  for (const each of root.content) {
    const next = parseVerbElement(text, each, unchecked);
    if (verb) throw addLocation(secondVerbError(next, verb), text, each.at);
    verb = next;
  }
  return verb;
}

function requireText(xml: unknown): string {
  if (typeof xml === "string") return xml;
  throw new TwimlError("invalid-value", formatMismatch("The document", "text", xml));
}

/** The verb inside `<Response>`. */
function parseVerbElement(text: string, node: XmlNode, unchecked: boolean): Verb {
  if ("text" in node) throw misplacedError(text, "Response", node);
  const texts = [...node.attributes].map(([name, { value }]): [string, string] => [name, value]);
  const verb = withLocation(text, node, () => parseVerb(node.name, texts, unchecked));
  for (const each of node.content) throw misplacedError(text, verb.verb, each);
  return verb;
}

/** Calls `read` and adds the position of the attribute (or the tag) to any error it throws. */
function withLocation(text: string, element: XmlElement, read: () => Verb): Verb {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    const attribute = [...element.attributes].find(([name]) => name.slice(0, 64) === error.attribute);
    throw addLocation(error, text, attribute?.[1].at ?? element.at);
  }
}

/** The same error, with its position in the document. */
function addLocation({ code, message, verb, attribute }: TwimlError, text: string, at: number): TwimlError {
  return new TwimlError(code, message, { verb, attribute, ...locationAt(text, at) });
}

function notAResponseError(name: string): TwimlError {
  const message = formatMismatch("the root element", '"Response"', name, didYouMean(name, ["Response"]));
  return new TwimlError("not-a-response", message);
}

/** The error for text, or for an element in a verb. */
function misplacedError(text: string, verb: string, node: XmlNode): TwimlError {
  const [code, found] =
    "text" in node ? ["invalid-value" as const, node.text] : ["unknown-verb" as const, `<${node.name}>`];
  const message = `<${verb}> cannot contain ${formatValue(found)}.`;
  return new TwimlError(code, message, { verb, ...locationAt(text, node.at) });
}
