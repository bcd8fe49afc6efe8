/** The two fax verbs: the table of their attributes, `receive` and `reject`, and the checks of every verb. */
import { TwimlError } from "../shared/errors.js";
import { didYouMean, formatValue, formatVerbPrefix, hintFor } from "../shared/messages.js";
import { emptyRecord, isPlainObject, readOwn } from "../shared/objects.js";
import { isHttpUrl, isRelativeReference } from "../shared/values.js";
import { formatAttribute, formatElement, illegalCharacter, isAttributeName } from "./xml-write.js";

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

/** A URL reference as text, or anything with an `href`, such as a `URL`. */
export type UrlReference = string | { readonly href: string };

/**
 * The attributes of `<Receive>`. `undefined` and `null` mean that the attribute is absent.
 *
 * @example
 * const attributes: ReceiveAttributes = { action: "/fax/received", pageSize: "a4" };
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export interface ReceiveAttributes {
  /**
   * Where the provider reports that the fax was received or failed: an absolute http(s) URL, or a reference relative
   * to the URL of this document. If it is absent, the provider reports nothing.
   */
  readonly action?: UrlReference | null | undefined;
  /** Method of the `action` request. Default: `"POST"`. */
  readonly method?: HttpMethod | null | undefined;
  /** Format of the pages. Default: `"application/pdf"`. */
  readonly mediaType?: MediaType | null | undefined;
  /** Page size that the fax is rendered to. Default: `"letter"`. */
  readonly pageSize?: PageSize | null | undefined;
  /**
   * Whether the provider keeps the pages. Default: `true`. With `false` they are sent once, as the file part `Media` of
   * a `multipart/form-data` POST to `action`; without an `action`, or with `method: "GET"`, they would be lost.
   */
  readonly storeMedia?: boolean | null | undefined;
}

/** The rule of an attribute: "url" for a URL reference, or the list of allowed values. */
type RuleFor<Value> = UrlReference extends Value ? "url" : readonly Value[];

/** Every verb's attributes: names, kinds and allowed values. The documentation is in {@link ReceiveAttributes}. */
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

/** What `receive` takes besides the attributes. */
export interface ReceiveOptions {
  /**
   * Attributes that this library does not know yet, by name. They are escaped, but not checked in any other way. Use it
   * for attributes that a provider has documented since, never for text from outside.
   */
  readonly unchecked?: Readonly<Record<string, string>> | undefined;
}

/** The verb that accepts a fax; frozen. Made by {@link receive}. */
export interface Receive {
  /** Name of the verb. */
  readonly verb: "Receive";
  /** The checked attributes. */
  readonly attributes: CheckedAttributes;
  /** The attributes from the option `unchecked`, if there are any. */
  readonly unchecked?: Readonly<Record<string, string>>;
}

/** The verb that refuses a fax; frozen. Made by {@link reject}. */
export interface Reject {
  /** Name of the verb. */
  readonly verb: "Reject";
}

/** The response to a new fax. */
export type Verb = Receive | Reject;

/** No value has this type. The compiler prints it in the first line of an error. */
type PagesLost = "storeMedia: false requires an action with method POST; otherwise the pages are lost";

/** Whether attributes of the type can lose the pages. Types as wide as a checked verb's are left to the runtime. */
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
 * The parameter of `receive` for an argument of the inferred type: `ReceiveAttributes`, and the reason if there is an
 * error. Nothing extends never; that branch is only there for TypeScript to infer the type from it.
 */
export type ReceivableAttributes<Attributes extends ReceiveAttributes> =
  true extends LosesPages<Attributes>
    ? ReceiveAttributes & PagesLost
    : Attributes extends never
      ? Attributes
      : ReceiveAttributes;

/** The parameter of `toTwiml` for a verb of the inferred type, in the same way. */
export type WritableVerb<AnyVerb extends Verb> =
  true extends LosesPages<AnyVerb extends Receive ? AnyVerb["attributes"] : unknown>
    ? Verb & PagesLost
    : AnyVerb extends never
      ? AnyVerb
      : Verb;

/**
 * The verb that accepts a fax.
 *
 * @param attributes copied and checked; only own enumerable properties are read
 * @param options `unchecked`: attributes that this library does not know yet
 * @returns a frozen `{ verb: "Receive", attributes }`, with the `href` of a URL object as its text
 * @throws {TwimlError} `unknown-attribute` (also for an option), `invalid-value` (also for an argument that is not a
 * plain object), `invalid-text`, `invalid-name` (in `unchecked`) or `pages-lost` (`storeMedia: false` without an
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
 * The verb that refuses a fax, which then ends with the status `canceled`. It has no attributes.
 *
 * @returns a frozen `{ verb: "Reject" }`
 * @throws {TwimlError} `unknown-attribute` if untyped code passes one anyway
 * @example
 * toTwiml(reject()); // …<Response><Reject/></Response>
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/reject
 */
export function reject(): Reject;
export function reject(attributes?: unknown, options?: unknown): Reject {
  return buildVerb("Reject", attributes, readOwn(options, "unchecked")) as Reject;
}

/** Checks the options, and returns `unchecked`, the only one. */
export function readUncheckedOption(options: unknown, verb?: string): unknown {
  if (options === undefined) return undefined;
  for (const name of listKeys("options", options, verb)) {
    if (name === "unchecked") continue;
    const message = `${formatVerbPrefix(verb)}there is no option ${formatValue(name)}, only "unchecked".`;
    throw new TwimlError("unknown-attribute", message, { verb, attribute: name });
  }
  return readOwn(options, "unchecked");
}

/** Returns a verb of `receive` or `reject` as it is, and checks plain data from anywhere else. */
export function checkVerb(data: unknown): Verb {
  if (Object(data) !== data || !Object.hasOwn(data as object, "verb")) throw notAVerbError(data);
  if (VerbBrand.readXml(data as object) !== undefined) return data as Verb;
  const verb = buildVerb(readOwn(data, "verb"), readOwn(data, "attributes"), readOwn(data, "unchecked"));
  for (const part of listKeys("verb", data)) {
    if (part === "verb" || part === "attributes" || part === "unchecked") continue;
    const message = `<${verb.verb}>: ${formatValue(part)} must stand inside "attributes".`;
    throw new TwimlError("unknown-attribute", message, { verb: verb.verb, attribute: part });
  }
  return verb;
}

/**
 * Builds a verb from attribute text, with the same checks as `receive`. With `unchecked`, attributes that are not in
 * the table become unchecked ones.
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

/** Converts attribute text to its typed value ("false" to false). Unknown text stays as it is, and fails the check. */
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
 * Brands a checked verb, and stores its XML. The private field cannot be forged or copied, and, unlike a `WeakMap`, it
 * costs nothing that could be measured.
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

/** The allowed values of an attribute, each with its XML; or "url", for values that cannot be listed. */
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

/** Checks and writes in one pass over the attributes. */
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
  return freezeVerb(verb, values, extra, formatElement(verb, written));
}

function freezeVerb(verb: Verb["verb"], values: object, extra: readonly [string, string][], xml: string): Verb {
  const data: { verb: string; attributes?: object; unchecked?: object } = { verb };
  if (verb !== "Reject") data.attributes = Object.freeze(values);
  if (extra.length > 0) data.unchecked = Object.freeze(Object.fromEntries(extra));
  return Object.freeze(new VerbBrand(data, xml)) as unknown as Verb;
}

/** Reads own values alone, so a polluted prototype can neither refuse a verb nor let one through. */
function losesPages(values: Readonly<Record<string, unknown>>): boolean {
  if (values["storeMedia"] !== false || !Object.hasOwn(values, "storeMedia")) return false;
  return !Object.hasOwn(values, "action") || readOwn(values, "method") === "GET";
}

function checkUrlAttribute(verb: string, name: string, value: unknown): string {
  const href = typeof value === "string" ? value : readHref(value);
  if (typeof href === "string" && href !== "") {
    checkText(name, href, verb);
    if (isRelativeReference(href) || isHttpUrl(href)) return href;
  }
  throw invalidValueError(verb, name, `an http(s) URL, or a relative reference such as "/fax"`, href ?? value);
}

/** The `href` of an object. URL inherits it from its class; one from a polluted `Object.prototype` is ignored. */
function readHref(value: unknown): unknown {
  if (Object(value) !== value) return value;
  const { href } = value as { href?: unknown };
  return href === ({} as { href?: unknown }).href ? undefined : href;
}

/** Returns text that XML can carry, and throws for anything else. */
export function checkText(name: string, text: unknown, verb?: string): string {
  if (typeof text !== "string") {
    const message = `${formatVerbPrefix(verb)}${formatValue(name)} must be text, not ${formatValue(text)}.`;
    throw new TwimlError("invalid-value", message, { verb, attribute: name });
  }
  const illegal = illegalCharacter(text);
  if (illegal === undefined) return text;
  const message = `${formatVerbPrefix(verb)}${formatValue(name)} holds ${illegal}, which XML cannot carry.`;
  throw new TwimlError("invalid-text", message, { verb, attribute: name });
}

function checkUnchecked(verb: string, rules: Rules, unchecked: unknown): [string, string][] {
  const checked: [string, string][] = [];
  if (unchecked === undefined) return checked;
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
  if (known === undefined && isAttributeName(name)) return;
  const problem = known
    ? `"${known}" must stand in "attributes", where it is checked`
    : `${formatValue(name)} cannot be the name of an attribute`;
  throw new TwimlError("invalid-name", `<${verb}>: ${problem}.`, { verb, attribute: name });
}

/** The names of a plain object's own enumerable properties; throws for anything else. */
function listKeys(what: string, object: unknown, verb?: string): string[] {
  if (object === undefined || object === null) return [];
  if (isPlainObject(object)) return Object.keys(object);
  const problem = `${what} must be a plain object, not ${formatValue(object)}.${hintFor(object)}`;
  throw new TwimlError("invalid-value", `${formatVerbPrefix(verb)}${problem}`, { verb });
}

function notAVerbError(data: unknown): TwimlError {
  const message = `${formatValue(data)} is not a verb.${hintFor(data)} receive() and reject() make one.`;
  return new TwimlError("unknown-verb", message);
}

function unknownVerbError(name: unknown): TwimlError {
  const hint = didYouMean(name, RULES.keys());
  const problem = `${formatValue(name)} is not a verb${hint}`;
  const message = `${problem}; receive() and reject() make one (names are case-sensitive).`;
  return new TwimlError("unknown-verb", message, { verb: typeof name === "string" ? name : undefined });
}

/** The error for an attribute that is not in the table; "Response" has no attributes either. */
export function unknownAttributeError(verb: string, rules: ReadonlyMap<string, unknown>, name: string): TwimlError {
  const all = [...rules.keys()].join(", ") || "none";
  const hint = didYouMean(name, rules.keys());
  const problem = `there is no attribute ${formatValue(name)}${hint}; there are: ${all} (names are case-sensitive)`;
  return new TwimlError("unknown-attribute", `<${verb}>: ${problem}.`, { verb, attribute: name });
}

/** The error for a verb after another one. */
export function secondVerbError({ verb }: Verb, first: Verb): TwimlError {
  const message = `<${verb}>: it would be ignored: the response already has <${first.verb}>.`;
  return new TwimlError("second-verb", message, { verb });
}

function pagesLostError(verb: string): TwimlError {
  const message = `<${verb}>: storeMedia: false loses the pages, unless they are POSTed to an "action".`;
  return new TwimlError("pages-lost", message, { verb, attribute: "storeMedia" });
}

function unlistedValueError(
  verb: string,
  name: string,
  rule: ReadonlyMap<unknown, string>,
  value: unknown,
): TwimlError {
  const expected = [...rule.keys()].map(formatValue).join(" or ");
  return invalidValueError(verb, name, expected, value, didYouMean(value, rule.keys()));
}

/** The error for a value that is not allowed; `hint` is a suggestion, if there is one. */
function invalidValueError(verb: string, name: string, expected: string, value: unknown, hint = ""): TwimlError {
  const message = `<${verb}>: ${name} must be ${expected}, not ${formatValue(value)}${hint}.`;
  return new TwimlError("invalid-value", message, { verb, attribute: name });
}
