/** The two fax verbs: one table of attribute rules, and the types, checks and messages that come from it. */
import { didYouMean, isHttpUrl, isRelativeReference, quote } from "./text.js";
import { illegalCharacter, isAttributeName } from "./xml.js";

/**
 * The methods an `action` can be requested with; case-sensitive.
 * @example HTTP_METHODS.includes("GET"); // true
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const HTTP_METHODS = ["GET", "POST"] as const;
/**
 * The formats the pages can be delivered in.
 * @example MEDIA_TYPES.map((type) => `<option>${type}</option>`);
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const MEDIA_TYPES = ["application/pdf", "image/tiff"] as const;
/**
 * The page sizes a fax can be rendered to; case-sensitive.
 * @example PAGE_SIZES.find((size) => size === settings.pageSize);
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const PAGE_SIZES = ["letter", "legal", "a4"] as const;

/** A method of the `action` request. */
export type HttpMethod = (typeof HTTP_METHODS)[number];
/** A format of the pages. */
export type MediaType = (typeof MEDIA_TYPES)[number];
/** A page size. */
export type PageSize = (typeof PAGE_SIZES)[number];

/** Every verb's attributes: a list holds the allowed values, "url" stands for a URL reference. The comments are the docs. */
export const VERBS = {
  Receive: {
    /**
     * Where the provider reports that the fax was received or failed: an absolute http(s) URL, or a reference relative
     * to the URL of this document. Without it nobody is told.
     */
    action: "url",
    /** Method of the `action` request. Default: `"POST"`. */
    method: HTTP_METHODS,
    /** Format of the pages. Default: `"application/pdf"`. */
    mediaType: MEDIA_TYPES,
    /** Page size that the fax is rendered to. Default: `"letter"`. */
    pageSize: PAGE_SIZES,
    /**
     * Whether the provider keeps the pages. Default: `true`. With `false` they arrive once, as the file part `Media` of
     * a `multipart/form-data` POST to `action`; without an `action`, or with `method: "GET"`, they would be lost.
     */
    storeMedia: [true, false],
  },
  Reject: {},
} as const;

type Table = (typeof VERBS)["Receive"];
type Attributes<Url, None> = {
  readonly [Name in keyof Table]?: (Table[Name] extends readonly (infer Value)[] ? Value : Url) | None;
};
/** The pages are not lost: they are stored, or POSTed to an `action`. */
type NotLost<Url, None> =
  | (Attributes<Url, None> & { readonly storeMedia?: true | None })
  | (Attributes<Url, None> & { readonly storeMedia: false; readonly action: Url; readonly method?: "POST" | None });

/** A URL reference as text, or anything with an `href`, such as a `URL`. */
export type UrlReference = string | { readonly href: string };

/**
 * The attributes of `<Receive>`. `undefined` and `null` mean that the attribute is absent.
 *
 * @example
 * const attributes: ReceiveAttributes = { action: "/fax/received", pageSize: "a4" };
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export type ReceiveAttributes = NotLost<UrlReference, null | undefined>;

/** What `receive` takes beside the attributes. */
export interface ReceiveOptions {
  /**
   * Attributes that this library does not know yet, by name. They are escaped, and not checked in any other way: use it
   * for what a provider has documented since, never for text from outside.
   */
  readonly unchecked?: Readonly<Record<string, string>> | undefined;
}

/** The verb that accepts a fax; frozen. Made by {@link receive}. */
export interface Receive {
  readonly verb: "Receive";
  readonly attributes: NotLost<string, undefined>;
  readonly unchecked?: Readonly<Record<string, string>>;
}

/** The verb that refuses a fax; frozen. Made by {@link reject}. */
export interface Reject {
  readonly verb: "Reject";
}

/** What an incoming fax is answered with. */
export type Verb = Receive | Reject;

/** Why a {@link TwimlError} was thrown. */
export type TwimlErrorCode =
  | "unknown-verb"
  | "unknown-attribute"
  | "invalid-value"
  | "invalid-text"
  | "invalid-name"
  | "pages-lost"
  | "second-verb"
  | "no-verb"
  | "too-large";

/**
 * TwiML that must not be sent. `code` says why, `verb` and `attribute` where (as given, at most 64 characters). The
 * message names what came and what is allowed; it is made for developers and holds no more than an excerpt of a value.
 * Compare `name` or `code` rather than the class where an ESM and a CommonJS copy of this library may meet.
 *
 * @example
 * try {
 *   receive(JSON.parse(settings));
 * } catch (error) {
 *   if (error instanceof TwimlError) console.error(error.code, error.attribute, error.message);
 * }
 */
export class TwimlError extends TypeError {
  override readonly name = "TwimlError";
  declare readonly verb?: string;
  declare readonly attribute?: string;
  constructor(
    readonly code: TwimlErrorCode,
    message: string,
    verb?: string,
    attribute?: string,
  ) {
    super(message);
    if (verb !== undefined) this.verb = verb.slice(0, 64);
    if (attribute !== undefined) this.attribute = attribute.slice(0, 64);
  }
}

/**
 * The verb that accepts a fax.
 *
 * @param attributes copied and checked; only own enumerable data properties count
 * @param options `unchecked`: attributes that this library does not know yet
 * @returns a frozen `{ verb: "Receive", attributes }`, with the `href` of a URL object as its text
 * @throws {TwimlError} `unknown-attribute` (of an option, too), `invalid-value` (also for what is no plain object),
 * `invalid-text`, `invalid-name` (in `unchecked`) or
 * `pages-lost` (`storeMedia: false` without an `action`, or with `method: "GET"`)
 * @example
 * receive({ action: "/fax/received", mediaType: "application/pdf" });
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export function receive(attributes?: ReceiveAttributes, options?: ReceiveOptions): Receive {
  for (const name of keysOf("options", options, "Receive")) {
    if (name !== "unchecked")
      fail("Receive", name, "unknown-attribute", `there is no option ${quote(name)}, only "unchecked"`);
  }
  return make("Receive", attributes, ownValue(options, "unchecked")) as Receive;
}

/**
 * The verb that refuses a fax, which then ends with the status `canceled`. It has no attributes.
 *
 * @returns a frozen `{ verb: "Reject" }`
 * @throws {TwimlError} `unknown-attribute` when plain JavaScript passes one all the same
 * @example
 * toTwiml(reject()); // …<Response><Reject/></Response>
 * @see https://developer.signalwire.com/compatibility-api/cxml/fax/reject
 */
export function reject(): Reject;
export function reject(attributes?: unknown, options?: unknown): Reject {
  return make("Reject", attributes, ownValue(options, "unchecked")) as Reject;
}

/** A verb from plain data, or made before: all that is written out is checked, wherever it comes from. */
export function checkVerb(data: unknown): Verb {
  if (Object(data) !== data)
    fail(undefined, undefined, "unknown-verb", `${quote(data)} is no verb; receive() and reject() make one`);
  const verb = make(ownValue(data, "verb"), ownValue(data, "attributes"), ownValue(data, "unchecked"));
  for (const part of keysOf("verb", data)) {
    if (!/^(verb|attributes|unchecked)$/.test(part))
      fail(verb.verb, part, "unknown-attribute", `${quote(part)} must stand inside "attributes"`);
  }
  return verb;
}

type Rule = "url" | readonly (string | boolean)[];
type Rules = Readonly<Record<string, Rule>>;

function make(name: unknown, attributes: unknown, unchecked: unknown): Verb {
  if (typeof name !== "string" || !Object.hasOwn(VERBS, name)) {
    const given = typeof name === "string" ? name : undefined;
    const hint = didYouMean(name, Object.keys(VERBS));
    return fail(
      given,
      undefined,
      "unknown-verb",
      `${quote(name)} is no verb${hint}; receive() and reject() make one (names are case-sensitive)`,
    );
  }
  const rules: Rules = VERBS[name as keyof typeof VERBS];
  const checked: Record<string, string | boolean> = {};
  for (const key of keysOf("attributes", attributes, name)) {
    const value = ownValue(attributes, key);
    // Only names of the table get here, never __proto__.
    if (value !== undefined && value !== null) checked[key] = checkAttribute(name, rules, key, value);
  }
  if (
    ownValue(checked, "storeMedia") === false &&
    (!Object.hasOwn(checked, "action") || ownValue(checked, "method") === "GET")
  ) {
    fail(name, "storeMedia", "pages-lost", `storeMedia: false loses the pages, unless they are POSTed to an "action"`);
  }
  const extra: [string, string][] = [];
  for (const key of keysOf("unchecked", unchecked, name)) {
    const value = ownValue(unchecked, key);
    if (value !== undefined && value !== null) extra.push([key, checkUnchecked(name, rules, key, value)]);
  }
  if (name === "Reject") return Object.freeze({ verb: name });
  const verb = { verb: name, attributes: Object.freeze(checked) };
  return Object.freeze(
    extra.length > 0 ? { ...verb, unchecked: Object.freeze(Object.fromEntries(extra)) } : verb,
  ) as Receive;
}

/** Throws; the message names the verb, and ends as a sentence does. */
export function fail(verb: string | undefined, name: string | undefined, code: TwimlErrorCode, message: string): never {
  throw new TwimlError(code, `${verb && Object.hasOwn(VERBS, verb) ? `<${verb}>: ` : ""}${message}.`, verb, name);
}

function checkAttribute(verb: string, rules: Rules, name: string, value: unknown): string | boolean {
  if (!Object.hasOwn(rules, name)) {
    const names = Object.keys(rules);
    const all = names.join(", ") || "none";
    return fail(
      verb,
      name,
      "unknown-attribute",
      `there is no attribute ${quote(name)}${didYouMean(name, names)}; there are: ${all} (names are case-sensitive)`,
    );
  }
  const rule = rules[name]!;
  if (rule === "url") return checkUrl(verb, name, value);
  if (rule.includes(value as string | boolean)) return value as string | boolean;
  return fail(
    verb,
    name,
    "invalid-value",
    `${name} must be ${rule.map(quote).join(" or ")}, not ${quote(value)}${didYouMean(value, rule)}`,
  );
}

function checkUrl(verb: string, name: string, value: unknown): string {
  const isObject = Object(value) === value;
  const found = isObject ? (value as { href?: unknown }).href : value;
  // A URL has its href from its class; what every object has is pollution.
  const href = isObject && found === ({} as { href?: unknown }).href ? undefined : found;
  if (typeof href === "string" && href !== "") {
    checkText(verb, name, href);
    if (isRelativeReference(href) || isHttpUrl(href)) return href;
  }
  return fail(
    verb,
    name,
    "invalid-value",
    `${name} must be an http(s) URL, or a relative reference such as "/fax", not ${quote(href ?? value)}`,
  );
}

/** The text, if XML can carry it. */
export function checkText(verb: string | undefined, name: string, text: unknown): string {
  if (typeof text !== "string")
    return fail(verb, name, "invalid-value", `${quote(name)} must be text, not ${quote(text)}`);
  const illegal = illegalCharacter(text);
  return illegal ? fail(verb, name, "invalid-text", `${quote(name)} holds ${illegal}, which XML cannot carry`) : text;
}

function checkUnchecked(verb: string, rules: Rules, name: string, value: unknown): string {
  if (verb === "Reject") checkAttribute(verb, rules, name, value);
  const known = Object.keys(rules).find((each) => each.toLowerCase() === name.toLowerCase());
  if (known)
    fail(
      verb,
      name,
      "invalid-name",
      `${quote(name)} is no unchecked attribute: "${known}" is known, and checked in "attributes"`,
    );
  if (!isAttributeName(name)) fail(verb, name, "invalid-name", `${quote(name)} cannot be the name of an attribute`);
  return checkText(verb, name, value);
}

function keysOf(what: string, object: unknown, verb?: string): string[] {
  if (object === undefined || object === null) return [];
  // A URL, a Promise or a Map has no own properties, and would be ignored in silence.
  if (Object.prototype.toString.call(object) !== "[object Object]")
    fail(verb, undefined, "invalid-value", `${what} must be a plain object, not ${quote(object)}`);
  return Object.keys(object as object);
}

/** The value of an own data property: neither a polluted prototype nor a getter makes an attribute. */
function ownValue(object: unknown, key: string): unknown {
  const property = Object(object) === object ? Object.getOwnPropertyDescriptor(object, key) : undefined;
  return property && Object.hasOwn(property, "value") ? property.value : undefined;
}
