/** Writing TwiML documents: `toTwiml`, and the `FaxResponse` class that people know from the helper libraries. */
import { TwimlError } from "../shared/errors.js";
import { formatVerbPrefix } from "../shared/messages.js";
import {
  type ReceivableAttributes,
  type ReceiveAttributes,
  type ReceiveOptions,
  type Verb,
  type WritableVerb,
  checkText,
  checkVerb,
  receive,
  reject,
  secondVerbError,
  getXml,
} from "./verbs.js";
import { formatComment, formatDocument } from "./xml-write.js";

/**
 * The `Content-Type` of a TwiML response. Any other one is the provider's error 12300.
 * @example res.writeHead(200, { "content-type": TWIML_CONTENT_TYPE }).end(toTwiml(reject()));
 * @see https://www.twilio.com/docs/api/errors/12300
 */
export const TWIML_CONTENT_TYPE = "text/xml; charset=utf-8";

/** Providers refuse larger documents. https://www.twilio.com/docs/api/errors/11750 */
const MAX_BYTES = 64 * 1024;

/** Named by structure so that the core needs neither DOM nor Node types. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** Wraps `content` in a document. Throws if the document exceeds the providers' size limit. */
function buildDocument(content: string, verb: Verb | undefined): string {
  return checkSize(formatDocument(content), verb);
}

/** Returns the document. Throws if it exceeds the providers' size limit. */
export function checkSize(twiml: string, verb?: Verb): string {
  // One UTF-16 unit is at most three bytes of UTF-8: short documents need no count.
  if (twiml.length * 3 <= MAX_BYTES) return twiml;
  const bytes = new TextEncoder().encode(twiml).length;
  if (bytes <= MAX_BYTES) return twiml;
  const problem = `the document has ${bytes} bytes, and providers take ${MAX_BYTES} at most`;
  throw new TwimlError("too-large", `${formatVerbPrefix(verb?.verb)}${problem}.`, { verb: verb?.verb });
}

/**
 * The TwiML document for a verb, byte for byte as the providers' helper libraries write it. Without a verb it is the
 * empty `<Response/>`, the response to a callback (for a new fax it would be the provider's error 34106).
 *
 * @param verb from `receive` or `reject`, or plain data of the same shape, which is checked in the same way
 * @returns XML, at most 64 kB in UTF-8
 * @throws {TwimlError} see `receive`; `unknown-verb`; `too-large`
 * @example
 * toTwiml(receive({ action: "/fax/received" }));
 * // <?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/fax/received"/></Response>
 * @see https://www.twilio.com/docs/fax/twiml
 */
export function toTwiml<const AnyVerb extends Verb>(verb?: WritableVerb<AnyVerb>): string {
  if (verb === undefined) return formatDocument("");
  const checked = checkVerb(verb);
  return buildDocument(getXml(checked), checked);
}

/**
 * A response built step by step, as with the providers' helper libraries: at most one verb, and comments. Methods that
 * add something return the response itself.
 *
 * @example
 * const response = new FaxResponse();
 * response.receive({ action: "/fax/received" });
 * response.toString(); // the TwiML document
 * @see https://www.twilio.com/docs/fax/twiml
 */
export class FaxResponse {
  #content = "";
  #verb: Verb | undefined;

  /**
   * @param verb the first content of the response
   * @throws {TwimlError} if `verb` is not a verb; for plain data, as `receive` does
   */
  constructor(verb?: Verb) {
    if (verb !== undefined) this.#add(checkVerb(verb));
  }

  /**
   * Accepts the fax. Has the parameters and errors of the function `receive`.
   * @throws {TwimlError} also `second-verb` if the response has a verb already
   */
  receive<const Attributes extends ReceiveAttributes>(
    attributes?: ReceivableAttributes<Attributes>,
    options?: ReceiveOptions,
  ): this {
    return this.#add(receive(attributes, options));
  }

  /**
   * Refuses the fax.
   * @throws {TwimlError} `second-verb` if the response has a verb already
   */
  reject(): this;
  reject(...nothing: unknown[]): this {
    return this.#add((reject as (...nothing: unknown[]) => Verb)(...nothing));
  }

  /**
   * Adds an XML comment, for people who read the document.
   * @throws {TwimlError} `invalid-value` if it is not text; `invalid-text` if it contains `--` (not allowed in XML
   * comments) or characters that XML cannot carry
   */
  comment(text: string): this {
    if (checkText("comment", text).includes("--")) {
      throw new TwimlError("invalid-text", `a comment cannot hold "--".`, { attribute: "comment" });
    }
    this.#content += formatComment(text);
    return this;
  }

  /** The verb, if the response has one. */
  get verb(): Verb | undefined {
    return this.#verb;
  }

  /**
   * The TwiML document.
   * @throws {TwimlError} `too-large` over 64 kB
   */
  toString(): string {
    return buildDocument(this.#content, this.#verb);
  }

  #add(verb: Verb): this {
    if (this.#verb) throw secondVerbError(verb, this.#verb);
    this.#verb = verb;
    this.#content += getXml(verb);
    return this;
  }
}
