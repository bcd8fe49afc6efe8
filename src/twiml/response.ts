/** Writing TwiML documents: `toTwiml`, and the class `FaxResponse`, as in the providers' helper libraries. */
import { TwimlError } from "../shared/errors.js";
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
import { formatDocument } from "./xml-write.js";

/**
 * The `Content-Type` of a TwiML response. Providers report a type that is not XML as error 12300.
 * @example res.writeHead(200, { "content-type": TWIML_CONTENT_TYPE }).end(toTwiml(reject()));
 * @see https://www.twilio.com/docs/api/errors/12300
 */
export const TWIML_CONTENT_TYPE = "text/xml; charset=utf-8";

/** The providers' size limit. https://www.twilio.com/docs/api/errors/11750 */
const MAX_BYTES = 64 * 1024;

/** Declared by structure so that the core needs neither DOM nor Node types. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** Returns the document. Throws if it exceeds the providers' size limit. */
export function checkSize(twiml: string, verb?: Verb): string {
  // A UTF-16 code unit is at most three bytes in UTF-8, so a short document need not be encoded.
  if (twiml.length * 3 <= MAX_BYTES) return twiml;
  const bytes = new TextEncoder().encode(twiml).length;
  if (bytes <= MAX_BYTES) return twiml;
  const message = `The document has ${bytes} bytes, but providers accept at most ${MAX_BYTES}.`;
  throw new TwimlError("too-large", message, { verb: verb?.verb });
}

/**
 * Writes the TwiML document of a verb, byte for byte as the providers' helper libraries do. Without a verb, returns the
 * empty `<Response/>`, the response to a callback. In response to a new fax, it causes the provider's error 34106.
 *
 * @param verb a verb created by `receive` or `reject`, or plain data of the same structure, which is checked too
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
  return checkSize(formatDocument(getXml(checked)), checked);
}

/**
 * A TwiML response with at most one verb, and comments. Has the methods of the providers' helper libraries. Methods
 * that add content return the response, so that calls can be chained.
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
   * @param verb the verb of the response, as for `toTwiml`
   * @throws {TwimlError} see `receive`; `unknown-verb`
   */
  constructor(verb?: Verb) {
    if (verb !== undefined) this.#add(checkVerb(verb));
  }

  /**
   * Adds the verb that accepts the fax. Takes the arguments of the function `receive`.
   * @throws {TwimlError} see `receive`; `second-verb` if the response already has a verb
   */
  receive<const Attributes extends ReceiveAttributes>(
    attributes?: ReceivableAttributes<Attributes>,
    options?: ReceiveOptions,
  ): this {
    return this.#add(receive(attributes, options));
  }

  /**
   * Adds the verb that rejects the fax.
   * @throws {TwimlError} `second-verb` if the response already has a verb
   */
  reject(): this;
  reject(...nothing: unknown[]): this {
    return this.#add((reject as (...nothing: unknown[]) => Verb)(...nothing));
  }

  /**
   * Adds an XML comment.
   * @throws {TwimlError} `invalid-value` if it is not text; `invalid-text` if it contains `--` or a character that XML
   * does not allow
   */
  comment(text: string): this {
    if (checkText("comment", text).includes("--")) {
      const message = `"comment" contains "--", which XML does not allow in comments.`;
      throw new TwimlError("invalid-text", message, { attribute: "comment" });
    }
    this.#content += `<!-- ${text} -->`;
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
    return checkSize(formatDocument(this.#content), this.#verb);
  }

  #add(verb: Verb): this {
    if (this.#verb) throw secondVerbError(verb, this.#verb);
    this.#verb = verb;
    this.#content += getXml(verb);
    return this;
  }
}
