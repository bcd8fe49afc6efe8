/** Any source of parameters to one record: text parameters, the file, and repeated or non-text values. */
import { type FaxRequestIssue, createIssue } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { emptyRecord } from "../shared/objects.js";

/**
 * A source of parameters: a form body or query string (a leading `?` is allowed) as text or bytes, any iterable of
 * pairs (`URLSearchParams`, `FormData`, `Map`), or a body parser's plain object (`req.body`, `req.query`).
 *
 * @example
 * const sources: FaxParamSource[] = ["FaxSid=FX1", new URLSearchParams("FaxSid=FX1"), { FaxSid: "FX1" }];
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export type FaxParamSource = string | Uint8Array | Iterable<readonly [name: string, value: unknown]> | ParamRecord;

/** A body parser's object, of any type. */
type ParamRecord = (object & NotASource) | ({ readonly [name: string]: unknown } & NotASource);

/** The properties of a promise, request, response, stream or URL that a record of parameters does not have. */
interface NotASource {
  readonly then?: never;
  readonly arrayBuffer?: never;
  readonly searchParams?: never;
  readonly [Symbol.asyncIterator]?: never;
  readonly [Symbol.iterator]?: never;
}

/**
 * The file of a multipart callback, by structure: the platform's `File` and `Blob` match.
 *
 * @example
 * const bytes = new Uint8Array(await media.arrayBuffer());
 * @see https://www.w3.org/TR/FileAPI/
 */
export interface FaxMedia {
  /** File name given by the provider, if any. It is untrusted: never use it in a path. */
  readonly name?: string;
  /** `"application/pdf"` or `"image/tiff"`, according to the provider. */
  readonly type: string;
  /** Length in bytes. */
  readonly size: number;
  /** The bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The parameters of one source. A source is read once, because some iterables can only be iterated once. */
export interface ReceivedParams {
  /** The original source, kept for the error message when it had no parameters. */
  readonly source: unknown;
  /** Number of parameters received, repeated ones included. */
  readonly count: number;
  /** Every text parameter by name, with the first value of a repeated name; frozen, without a prototype. */
  readonly params: Readonly<Record<string, string>>;
  /** The file `Media`. */
  readonly media: FaxMedia | undefined;
  /**
   * All values, in order, of each name that was received more than once or not as text: the signature covers all of
   * them, not just the first. A body parser's array is kept as one value.
   */
  readonly repeatedOrNonText: ReadonlyMap<string, readonly unknown[]>;
}

/** {@link ReceivedParams} that are still being filled. */
interface ParamsBuilder extends ReceivedParams {
  count: number;
  readonly params: Record<string, string>;
  media: FaxMedia | undefined;
  readonly repeatedOrNonText: Map<string, unknown[]>;
}

/** The platform's decoders, declared by structure so that the core needs neither DOM nor Node types. */
declare const URLSearchParams: new (text: string) => Iterable<[string, string]>;
declare const TextDecoder: new (
  label: string,
  options: { ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

/** Reads all parameters of a source. */
export function readParams(source: unknown): ReceivedParams {
  const params = emptyRecord<string>();
  const received: ParamsBuilder = { source, count: 0, params, media: undefined, repeatedOrNonText: new Map() };
  if (typeof source === "string") addFormText(received, source);
  // WHATWG form parsing treats a byte order mark as text.
  else if (source instanceof Uint8Array)
    addFormText(received, new TextDecoder("utf-8", { ignoreBOM: true }).decode(source));
  else if (typeof source === "object" && source !== null) addObject(received, source);
  Object.freeze(params);
  return received;
}

function addObject(received: ParamsBuilder, source: object): void {
  // Other properties of a stream or a whole request are not parameters.
  if (Symbol.asyncIterator in source) return;
  if (Symbol.iterator in source) {
    for (const pair of source as Iterable<unknown>) {
      if (Array.isArray(pair) && typeof pair[0] === "string") addPair(received, pair[0], pair[1]);
    }
  } else {
    for (const name of Object.keys(source)) addPair(received, name, (source as Record<string, unknown>)[name]);
  }
}

function addPair(received: ParamsBuilder, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const { params, repeatedOrNonText: lists } = received;
  received.count += Array.isArray(value) ? Math.max(1, value.length) : 1;
  const first = params[name] ?? (name === "Media" ? received.media : undefined);
  if (first !== undefined || (lists.size > 0 && lists.has(name))) addRepeated(received, name, first, value);
  else if (typeof value === "string") params[name] = value;
  else if (!isFaxMedia(value)) addNonText(received, name, value);
  // A file of another name is ignored: refusing it would lose the fax.
  else if (name === "Media") received.media = value;
}

function addRepeated(received: ParamsBuilder, name: string, first: unknown, value: unknown): void {
  // Accept the file even if a text field of the same name came first.
  if (name === "Media" && isFaxMedia(value)) received.media ??= value;
  const list = received.repeatedOrNonText.get(name);
  if (list === undefined) received.repeatedOrNonText.set(name, [first, value]);
  else list.push(value);
}

/** A body parser's array is a repeated name: its first text is the parameter's value, as for repeated pairs. */
function addNonText({ params, repeatedOrNonText }: ParamsBuilder, name: string, value: unknown): void {
  repeatedOrNonText.set(name, [value]);
  if (Array.isArray(value) && value.length > 1 && typeof value[0] === "string") params[name] = value[0];
}

/** The issue of a name in `repeatedOrNonText`. */
export function createListIssue(name: string, values: readonly unknown[]): FaxRequestIssue {
  if (values.flat().length > 1) return createIssue(name, "repeated", `${formatValue(name)} came more than once.`);
  return createIssue(name, "not-text", `${formatValue(name)} must be text, not ${formatValue(values[0])}.`);
}

/** Whether a value is a `Blob` or `File` of any implementation. */
export function isFaxMedia(value: unknown): value is FaxMedia {
  return typeof value === "object" && value !== null && typeof (value as Partial<FaxMedia>).arrayBuffer === "function";
}

/**
 * WHATWG form decoding (https://url.spec.whatwg.org/#urlencoded-parsing). `decodeURIComponent` gives the same result in
 * a third of the time of `URLSearchParams`, which decodes the rest from the first escape that `decodeURIComponent`
 * refuses.
 */
function addFormText(received: ParamsBuilder, source: string): void {
  // "+" is a space, and "%2B" a plus sign: replaced before any escape is decoded.
  const spaced = source.includes("+") ? source.replaceAll("+", " ") : source;
  const text = (spaced as WellFormable).toWellFormed();
  let at = text.startsWith("?") ? 1 : 0;
  let equals = -1;
  while (at < text.length) {
    if (text.charCodeAt(at) === AMPERSAND) {
      at++;
      continue;
    }
    const end = indexOrEnd(text, "&", at);
    // Search again only after passing the previous "="; otherwise a body without one takes quadratic time.
    if (equals < at) equals = indexOrEnd(text, "=", at);
    const middle = Math.min(equals, end);
    try {
      addPair(received, decodeComponent(text.slice(at, middle)), decodeComponent(text.slice(middle + 1, end)));
    } catch {
      // An incomplete escape, or escaped bytes that are not UTF-8. The "&" protects a leading "?" of the name.
      for (const [name, value] of new URLSearchParams("&" + text.slice(at))) addPair(received, name, value);
      return;
    }
    at = end + 1;
  }
}

const AMPERSAND = 0x26;

/** Standard since ES2024; the types are older. Replaces lone surrogates with U+FFFD, as `URLSearchParams` does. */
type WellFormable = string & { toWellFormed(): string };

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}

function decodeComponent(text: string): string {
  return text.includes("%") ? decodeURIComponent(text) : text;
}
