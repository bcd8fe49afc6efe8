/** A TwiML document to a verb: `parseTwiml`. */
import { TwimlError, verbError } from "../shared/errors.js";
import { didYouMean, formatValue } from "../shared/messages.js";
import { checkSize } from "./response.js";
import { type Verb, parseVerb, secondVerbError, readUncheckedOption, unknownAttributeError } from "./verbs.js";
import { type XmlElement, type XmlNode, normalizeText, locationAt, parseXml } from "./xml-read.js";

/** What `parseTwiml` takes beside the document. */
export interface ParseTwimlOptions {
  /**
   * With `true`, attributes that this library does not know are taken over into the verb's `unchecked`. Without it they
   * are errors, as they are for the providers.
   */
  readonly unchecked?: boolean | undefined;
}

/**
 * The verb that a TwiML document asks for: what a provider would do, or the mistake that it would log. The verb is the
 * one that `receive` or `reject` makes, so that both compare equal.
 *
 * Read is what providers read, strictly: well-formed XML 1.0 with the root `Response` and at most one verb. Comments,
 * processing instructions and white space are skipped; a DOCTYPE, CDATA, namespaces and text are errors. Mistakes are
 * looked for as providers do: the size, then the whole document's syntax, its root, and its content from top to bottom.
 *
 * @param xml the document as text, at most 64 kB (65,536 bytes in UTF-8), with or without a byte order mark
 * @param options `unchecked: true` takes over attributes that this library does not know
 * @returns a frozen verb, with typed values (`storeMedia="false"` is `false`), or `undefined` for `<Response/>`
 * @throws {TwimlError} `too-large`; `malformed`; `not-a-response`; `second-verb`; `unknown-verb` (also an element in a
 * verb); `invalid-value` (also text); `unknown-attribute`, `invalid-name` and `pages-lost` as `receive` does. What is
 * wrong in the document has a `line` and a `column`, which count from 1, in characters (code points), and
 * `providerError`, the number under which a provider's log shows it. An `xml` that is not text, and an unknown option,
 * are `invalid-value` and `unknown-attribute` without a place.
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
  const problem = `the document must be text, not ${formatValue(xml)} (is an await missing?)`;
  throw verbError("invalid-value", problem);
}

/** The verb that stands in `<Response>`. */
function parseVerbElement(text: string, node: XmlNode, unchecked: boolean): Verb {
  if ("text" in node) throw misplacedError(text, "Response", node);
  const texts = [...node.attributes].map(([name, { value }]): [string, string] => [name, value]);
  const verb = withLocation(text, node, () => parseVerb(node.name, texts, unchecked));
  for (const each of node.content) throw misplacedError(text, verb.verb, each);
  return verb;
}

/** What `read` gives; an error of it names the place of the attribute that it is about, or else of the tag. */
function withLocation(text: string, element: XmlElement, read: () => Verb): Verb {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    const attribute = [...element.attributes].find(([name]) => name.slice(0, 64) === error.attribute);
    throw addLocation(error, text, attribute?.[1].at ?? element.at);
  }
}

/** The same error, with its place in the document. */
function addLocation({ code, message, verb, attribute }: TwimlError, text: string, at: number): TwimlError {
  return new TwimlError(code, message, { verb, attribute, ...locationAt(text, at) });
}

function notAResponseError(name: string): TwimlError {
  const problem = `the root element must be "Response", not ${formatValue(name)}${didYouMean(name, ["Response"])}`;
  return verbError("not-a-response", problem);
}

/** The error for content of an element that cannot have it. */
function misplacedError(text: string, verb: string, node: XmlNode): TwimlError {
  const [code, what] =
    "text" in node ? ["invalid-value" as const, node.text] : ["unknown-verb" as const, `<${node.name}>`];
  return addLocation(verbError(code, `it cannot hold ${formatValue(what)}`, verb), text, node.at);
}
