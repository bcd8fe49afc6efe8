/** The two fax verbs: the table of their attributes, `receive` and `reject`, and the checks of all verbs. */
import { TwimlError, type TwimlErrorCode } from "../shared/errors.js";
import { didYouMean, formatMismatch, formatUnknownName, formatValue } from "../shared/messages.js";
import { emptyRecord, isPlainObject, readOwn } from "../shared/objects.js";
import { isHttpUrl, isRelativeReference, MAX_URL_LENGTH } from "../shared/values.js";
import { ATTRIBUTE_NAME, formatAttribute, illegalCharacter } from "./xml-write.js";

/**
 * The methods of the `action` request; case-sensitive.
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const HTTP_METHODS = ["GET", "POST"] as const;
/**
 * The formats of the pages.
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const MEDIA_TYPES = ["application/pdf", "image/tiff"] as const;
/**
 * The page sizes that a fax can be rendered to; case-sensitive.
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const PAGE_SIZES = ["letter", "legal", "a4"] as const;

/** A method of the `action` request. */
export type HttpMethod = (typeof HTTP_METHODS)[number];
/** A format of the pages. */
export type MediaType = (typeof MEDIA_TYPES)[number];
/** A page size. */
export type PageSize = (typeof PAGE_SIZES)[number];

/** A URL reference as text, or an object with an `href`, such as a `URL`. */
export type UrlReference =
  | string
  | {
      /** The URL as text. */
      readonly href: string;
    };

/**
 * The attributes of `<Receive>`. `undefined` and `null` mean that the attribute is absent.
 *
 * @example
 * const attributes: ReceiveAttributes = { action: "/fax/received", pageSize: "a4" };
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export interface ReceiveAttributes {
  /**
   * The URL to which the provider sends the callback when the fax was received or failed: an absolute http(s) URL, or a
   * reference relative to the URL of this document, with at most 2,048 characters and no leading or trailing white
   * space. Without it, there is no callback.
   */
  readonly action?: UrlReference | null | undefined;
  /** Method of the `action` request. Default: `"POST"`. */
  readonly method?: HttpMethod | null | undefined;
  /** Format of the pages. Default: `"application/pdf"`. */
  readonly mediaType?: MediaType | null | undefined;
  /** Page size that the fax is rendered to. Default: `"letter"`. */
  readonly pageSize?: PageSize | null | undefined;
  /**
   * Whether the provider stores the pages. Default: `true`. With `false`, they are sent once, as the file `Media` in a
   * `multipart/form-data` POST to `action`. Without an `action`, or with `method: "GET"`, they would be lost.
   */
  readonly storeMedia?: boolean | null | undefined;
}

/** The rule for an attribute: "url" for a URL reference, or the list of allowed values. */
type RuleFor<Value> = UrlReference extends Value ? "url" : readonly Value[];

/** The attributes of each verb, with their rules. Their documentation is in {@link ReceiveAttributes}. */
export const VERBS = {
  Receive: {
    action: "url",
    method: HTTP_METHODS,
    mediaType: MEDIA_TYPES,
    pageSize: PAGE_SIZES,
    storeMedia: [true, false],
  },
  Reject: {},
} as const satisfies {
  readonly Receive: { readonly [Name in keyof ReceiveAttributes]-?: RuleFor<NonNullable<ReceiveAttributes[Name]>> };
  readonly Reject: object;
};

/** The attributes of a checked verb: `action` is text, and absent attributes are `undefined`. */
type CheckedAttributes = {
  readonly [Name in keyof ReceiveAttributes]: Name extends "action"
    ? string | undefined
    : Exclude<ReceiveAttributes[Name], null>;
};

/** The options of `receive`. */
export interface ReceiveOptions {
  /**
   * Attributes that this library does not know yet, by name. Their values are escaped, but not checked. Use this option
   * for attributes that a provider has documented since this release, never for untrusted text.
   */
  readonly unchecked?: Readonly<Record<string, string>> | undefined;
}

/** The verb that accepts a fax; frozen. Created by {@link receive}. */
export interface Receive {
  /** Name of the verb. */
  readonly verb: "Receive";
  /** The checked attributes. */
  readonly attributes: CheckedAttributes;
  /** The attributes from the option `unchecked`, if there are any. */
  readonly unchecked?: Readonly<Record<string, string>>;
}

/** The verb that rejects a fax; frozen. Created by {@link reject}. */
export interface Reject {
  /** Name of the verb. */
  readonly verb: "Reject";
}

/** The response to a new fax. */
export type Verb = Receive | Reject;

/** The reason, which the compiler prints in the first line of its error. No object has this type. */
type PagesLost = "storeMedia: false requires an action with method POST; otherwise the pages are lost";

/** Whether attributes of the type can lose the pages. A type as wide as a checked verb's is only checked at runtime. */
type LosesPages<Attributes> = Attributes extends { readonly storeMedia?: infer Flag }
  ? false extends Flag
    ? Attributes extends { readonly action: UrlReference; readonly method?: "POST" | null | undefined }
      ? false
      : CheckedAttributes extends Attributes
        ? false
        : true
    : false
  : false;

/**
 * The parameter of `receive` for an argument of the inferred type: `ReceiveAttributes`, with the reason if the pages
 * would be lost. The branch `extends never` is never taken, but TypeScript infers `Attributes` from it.
 */
export type ReceivableAttributes<Attributes extends ReceiveAttributes> =
  true extends LosesPages<Attributes>
    ? ReceiveAttributes & PagesLost
    : Attributes extends never
      ? Attributes
      : ReceiveAttributes;

/** The parameter of `toTwiml` for a verb of the inferred type; see {@link ReceivableAttributes}. */
export type WritableVerb<AnyVerb extends Verb> =
  true extends LosesPages<AnyVerb extends Receive ? AnyVerb["attributes"] : unknown>
    ? Verb & PagesLost
    : AnyVerb extends never
      ? AnyVerb
      : Verb;

/**
 * Creates the verb that accepts a fax.
 *
 * @param attributes checked and copied; only own enumerable properties are read
 * @param options `unchecked`: attributes that this library does not know yet
 * @returns a frozen `{ verb: "Receive", attributes }`; a URL object becomes its `href`
 * @throws {TwimlError} `unknown-attribute` (also an unknown option); `invalid-value` (also an argument that is not a
 * plain object); `invalid-text`; `invalid-name` (in `unchecked`); `pages-lost` (`storeMedia: false` without an
 * `action`, or with `method: "GET"`)
 * @example
 * receive({ action: "/fax/received", mediaType: "application/pdf" });
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export function receive<const Attributes extends ReceiveAttributes>(
  attributes?: ReceivableAttributes<Attributes>,
  options?: ReceiveOptions,
): Receive {
  return buildVerb("Receive", attributes, readUncheckedOption(options, "Receive")) as Receive;
}

/**
 * Creates the verb that rejects a fax. The fax ends with the status `canceled`. The verb has no attributes.
 *
 * @returns a frozen `{ verb: "Reject" }`
 * @throws {TwimlError} `unknown-attribute` or `invalid-value` if untyped code passes an argument
 * @example
 * toTwiml(reject()); // …<Response><Reject/></Response>
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/reject
 */
export function reject(): Reject;
export function reject(attributes?: unknown, options?: unknown): Reject {
  return buildVerb("Reject", attributes, readOwn(options, "unchecked")) as Reject;
}

/** Checks the options of `receive` or `parseTwiml`, and returns `unchecked`, the only option. */
export function readUncheckedOption(options: unknown, verb?: string): unknown {
  if (options === undefined) return undefined;
  const unknown = listKeys("options", options, verb).find((name) => name !== "unchecked");
  if (unknown === undefined) return readOwn(options, "unchecked");
  throw createVerbError("unknown-attribute", verb, unknown, formatUnknownName("option", unknown, ["unchecked"]));
}

const VERB_PARTS = ["verb", "attributes", "unchecked"];

/** Returns a verb created by this module unchanged. Checks plain data and returns a copy. */
export function checkVerb(data: unknown): Verb {
  const name = readOwn(data, "verb");
  if (name === undefined) throw notAVerbError(data);
  if (VerbBrand.readXml(data as object) !== undefined) return data as Verb;
  const verb = buildVerb(name, readOwn(data, "attributes"), readOwn(data, "unchecked"));
  const other = listKeys("verb", data).find((part) => !VERB_PARTS.includes(part));
  if (other === undefined) return verb;
  throw createVerbError("unknown-attribute", verb.verb, other, `${formatValue(other)} must be inside "attributes".`);
}

/**
 * Builds a verb from the text of its attributes, with the same checks as `receive`. With `unchecked`, attributes that
 * are not in the table become unchecked attributes.
 */
export function parseVerb(name: string, texts: Iterable<[name: string, text: string]>, unchecked: boolean): Verb {
  const rules = RULES.get(name);
  const known = emptyRecord<unknown>();
  const unknown = emptyRecord<unknown>();
  for (const [key, text] of texts) {
    const rule = rules?.get(key);
    const part = rule === undefined && unchecked ? unknown : known;
    part[key] = parseAttributeText(rule, text);
  }
  return buildVerb(name, known, unknown);
}

/** Converts attribute text to its typed value ("false" to false). Returns other text unchanged; it fails the check. */
function parseAttributeText(rule: Rule | undefined, text: string): unknown {
  if (rule === undefined || rule === "url") return text;
  return [...rule.keys()].find((value) => String(value) === text) ?? text;
}

/** The XML of a verb returned by `checkVerb`. */
export function getXml(verb: Verb): string {
  return VerbBrand.readXml(verb)!;
}

/** Base class that returns its argument, so that a subclass can attach a private field to a plain object. */
class ReturnsArgument {
  constructor(object: object) {
    return object;
  }
}

/**
 * Brands a checked verb and stores its XML. The private field cannot be forged or copied. Its cost is not measurable,
 * while a `WeakMap` makes building a verb 80% slower.
 */
class VerbBrand extends ReturnsArgument {
  readonly #xml: string;
  constructor(verb: object, xml: string) {
    super(verb);
    this.#xml = xml;
  }
  static readXml(verb: object): string | undefined {
    return #xml in verb ? verb.#xml : undefined;
  }
}

/** The allowed values of an attribute, each with its XML; or "url", whose values cannot be listed. */
type Rule = "url" | ReadonlyMap<unknown, string>;
type Rules = ReadonlyMap<string, Rule>;

// Marked pure so that it is tree-shaken for users who only import the parsers.
const RULES = /* @__PURE__ */ compileRules(VERBS);

function compileRules(verbs: Readonly<Record<string, object>>): ReadonlyMap<unknown, Rules> {
  return new Map(Object.entries(verbs).map(([verb, table]) => [verb, new Map(Object.entries(table).map(compileRule))]));
}

function compileRule([name, rule]: [string, "url" | readonly unknown[]]): [string, Rule] {
  return [name, rule === "url" ? rule : new Map(rule.map((value) => [value, formatAttribute(name, String(value))]))];
}

/** Checks and serializes in one pass over the attributes. */
function buildVerb(name: unknown, attributes: unknown, unchecked: unknown): Verb {
  const rules = RULES.get(name);
  if (rules === undefined) throw unknownVerbError(name);
  const verb = name as Verb["verb"];
  const values: Record<string, unknown> = {};
  let written = "";
  for (const key of listKeys("attributes", attributes, verb)) {
    const value = (attributes as Record<string, unknown>)[key];
    if (value === undefined || value === null) continue;
    const rule = rules.get(key);
    if (rule === undefined) throw unknownAttributeError(verb, rules, key);
    const checked = rule === "url" ? checkUrlAttribute(verb, key, value) : value;
    const text = rule === "url" ? formatAttribute(key, checked as string) : rule.get(checked);
    if (text === undefined) throw unlistedValueError(verb, key, rule as ReadonlyMap<unknown, string>, value);
    values[key] = checked;
    written += text;
  }
  if (losesPages(values)) throw pagesLostError(verb);
  const extra = checkUnchecked(verb, rules, unchecked);
  for (const [key, value] of extra) written += formatAttribute(key, value);
  return freezeVerb(verb, values, extra, `<${verb}${written}/>`);
}

function freezeVerb(verb: Verb["verb"], values: object, extra: readonly [string, string][], xml: string): Verb {
  const data: { verb: string; attributes?: object; unchecked?: object } = { verb };
  if (verb !== "Reject") data.attributes = Object.freeze(values);
  if (extra.length > 0) data.unchecked = Object.freeze(Object.fromEntries(extra));
  return Object.freeze(new VerbBrand(data, xml)) as unknown as Verb;
}

/** Reads only own values, so a polluted prototype can neither cause nor hide an error. */
function losesPages(values: Readonly<Record<string, unknown>>): boolean {
  if (readOwn(values, "storeMedia") !== false) return false;
  return readOwn(values, "action") === undefined || readOwn(values, "method") === "GET";
}

function checkUrlAttribute(verb: string, name: string, value: unknown): string {
  const href = typeof value === "string" ? value : readHref(value);
  let expected = `an http(s) URL or a relative reference such as "/fax"`;
  if (typeof href === "string") {
    if (href.length > MAX_URL_LENGTH) expected = `a URL of at most ${MAX_URL_LENGTH} characters`;
    else if (checkText(name, href, verb) !== href.trim()) expected = "a URL without leading or trailing white space";
    else if (href !== "" && (isRelativeReference(href) || isHttpUrl(href))) return href;
  }
  throw invalidValueError(verb, name, expected, href ?? value);
}

/** Reads `href`, even if inherited, as a URL inherits it. A value from a polluted `Object.prototype` is ignored. */
function readHref(value: unknown): unknown {
  if (Object(value) !== value) return value;
  const { href } = value as { href?: unknown };
  return href === ({} as { href?: unknown }).href ? undefined : href;
}

/** Returns `text` if it is text that XML allows. Throws for anything else. */
export function checkText(name: string, text: unknown, verb?: string): string {
  if (typeof text !== "string") {
    throw createVerbError("invalid-value", verb, name, formatMismatch(formatValue(name), "text", text));
  }
  const illegal = illegalCharacter(text);
  if (illegal === undefined) return text;
  const problem = `${formatValue(name)} contains ${illegal}, which XML does not allow.`;
  throw createVerbError("invalid-text", verb, name, problem);
}

function checkUnchecked(verb: string, rules: Rules, unchecked: unknown): [string, string][] {
  const checked: [string, string][] = [];
  for (const name of listKeys("unchecked", unchecked, verb)) {
    const value = (unchecked as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    if (verb === "Reject") throw unknownAttributeError(verb, rules, name);
    checkUncheckedName(verb, rules, name);
    checked.push([name, checkText(name, value, verb)]);
  }
  return checked;
}

function checkUncheckedName(verb: string, rules: Rules, name: string): void {
  const known = [...rules.keys()].find((each) => each.toLowerCase() === name.toLowerCase());
  if (known === undefined && ATTRIBUTE_NAME.test(name)) return;
  const problem = known ? `is known. Pass it as ${known} in "attributes".` : `must match ${ATTRIBUTE_NAME}.`;
  throw createVerbError("invalid-name", verb, name, `${formatValue(name)} ${problem}`);
}

/** The names of a plain object's own enumerable properties. Throws for anything else. */
function listKeys(what: string, object: unknown, verb?: string): string[] {
  if (object === undefined || object === null) return [];
  if (isPlainObject(object)) return Object.keys(object);
  throw createVerbError("invalid-value", verb, undefined, formatNotObject(what, "a plain object", object));
}

/** The message for a value that is not an object. Text is not shown, because it may be a secret. */
function formatNotObject(name: string, expected: string, value: unknown): string {
  return formatMismatch(name, expected, typeof value === "string" ? Object(value) : value);
}

function notAVerbError(data: unknown): TwimlError {
  return new TwimlError("unknown-verb", formatNotObject("verb", "created by receive() or reject()", data));
}

function unknownVerbError(name: unknown): TwimlError {
  if (typeof name !== "string") return notAVerbError(name);
  return new TwimlError("unknown-verb", formatUnknownName("verb", name, [...RULES.keys()]), { verb: name });
}

/** The error for an attribute that is not in the table. "Response" has no attributes either. */
export function unknownAttributeError(verb: string, rules: ReadonlyMap<string, unknown>, name: string): TwimlError {
  return createVerbError("unknown-attribute", verb, name, formatUnknownName("attribute", name, [...rules.keys()]));
}

/** The error for a second verb. */
export function secondVerbError({ verb }: Verb, first: Verb): TwimlError {
  const message = `<${verb}> would be ignored: the response already contains <${first.verb}>.`;
  return new TwimlError("second-verb", message, { verb });
}

function pagesLostError(verb: string): TwimlError {
  const problem = "storeMedia: false requires an action with method POST; otherwise the pages are lost.";
  return createVerbError("pages-lost", verb, "storeMedia", problem);
}

function unlistedValueError(
  verb: string,
  name: string,
  rule: ReadonlyMap<unknown, string>,
  value: unknown,
): TwimlError {
  const allowed = [...rule.keys()];
  return invalidValueError(verb, name, allowed.map(formatValue).join(" or "), value, didYouMean(value, allowed));
}

function invalidValueError(
  verb: string | undefined,
  name: string,
  expected: string,
  value: unknown,
  suggestion?: string,
): TwimlError {
  return createVerbError("invalid-value", verb, name, formatMismatch(name, expected, value, suggestion));
}

/** The error for a verb or one of its attributes. */
function createVerbError(
  code: TwimlErrorCode,
  verb: string | undefined,
  attribute: string | undefined,
  problem: string,
): TwimlError {
  return new TwimlError(code, (verb ? `<${verb}>: ` : "") + problem, { verb, attribute });
}
