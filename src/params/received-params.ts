/** Reads parameters from any source: text parameters, the file, and repeated or non-text values. */
import { type FaxRequestIssue, createIssue } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { emptyRecord, isBytes } from "../shared/objects.js";

/**
 * A source of parameters: a form body or query string (a leading `?` is allowed) as text or bytes (an
 * `ArrayBuffer` or any view), any iterable of pairs (`URLSearchParams`, `FormData`, `Map`), or a body
 * parser's plain object (`req.body`, `req.query`).
 *
 * @example
 * const sources: FaxParamSource[] = ["FaxSid=FX1", new URLSearchParams("FaxSid=FX1"), { FaxSid: "FX1" }];
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export type FaxParamSource =
  string | ArrayBuffer | ArrayBufferView | Iterable<readonly [name: string, value: unknown]> | ParamRecord;

/** The object that a body parser returns, whatever its type. */
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
 * The file of a multipart callback, which contains the pages. The platform's `File` and `Blob` have this structure.
 *
 * @example
 * const bytes = new Uint8Array(await media.arrayBuffer());
 * @see https://www.w3.org/TR/FileAPI/
 */
export interface FaxMedia {
  /** File name given by the provider, if any. It is untrusted: never use it in a path. */
  readonly name?: string;
  /** Media type given by the provider, usually `"application/pdf"` or `"image/tiff"`. Untrusted, and can be empty. */
  readonly type: string;
  /** Length in bytes. */
  readonly size: number;
  /** The bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The parameters of one source. The source is read only once, because some iterables can be iterated only once. */
export interface ReceivedParams {
  /** The original source, for the error message if it has no parameters. */
  readonly source: unknown;
  /** Number of received parameters. Each value of a repeated name counts. */
  readonly count: number;
  /** Every text parameter by name, with the first value of a repeated name. Frozen, without a prototype. */
  readonly params: Readonly<Record<string, string>>;
  /** The file `Media`. */
  readonly media: FaxMedia | undefined;
  /**
   * All values, in order, of each name that is repeated or has a value other than text. The signature covers all of
   * them, not only the first. A body parser's array is stored as one value.
   */
  readonly repeatedOrNonText: ReadonlyMap<string, readonly unknown[]>;
}

/** Mutable {@link ReceivedParams}, used while a source is read. */
interface ParamsBuilder extends ReceivedParams {
  count: number;
  readonly maxCount: number;
  readonly params: Record<string, string>;
  media: FaxMedia | undefined;
  readonly repeatedOrNonText: Map<string, unknown[]>;
}

/** The platform's decoders, declared by structure so that the core needs neither DOM nor Node types. */
declare const URLSearchParams: new (text: string) => Iterable<[string, string]>;
declare const TextDecoder: new (
  label: string,
  options: { ignoreBOM: boolean },
) => { decode(bytes: ArrayBuffer | ArrayBufferView): string };

/** Reads the parameters of a source: all, or the first `maxCount` and one more. Throws only what the source throws. */
export function readParams(source: unknown, maxCount = Infinity): ReceivedParams {
  const params = emptyRecord<string>();
  const received: ParamsBuilder = {
    source,
    count: 0,
    maxCount,
    params,
    media: undefined,
    repeatedOrNonText: new Map(),
  };
  if (typeof source === "string") addFormText(received, source);
  // WHATWG form parsing keeps a byte order mark.
  else if (isBytes(source)) addFormText(received, new TextDecoder("utf-8", { ignoreBOM: true }).decode(source));
  else if (typeof source === "object" && source !== null) addObject(received, source);
  Object.freeze(params);
  return received;
}

function addObject(received: ParamsBuilder, source: object): void {
  // The properties of a request or another stream are not parameters.
  if (Symbol.asyncIterator in source) return;
  for (const pair of Symbol.iterator in source ? (source as Iterable<unknown>) : Object.entries(source)) {
    if (Array.isArray(pair) && typeof pair[0] === "string") addPair(received, pair[0], pair[1]);
    if (isFull(received)) return;
  }
}

/** Whether the caller would refuse the source anyway, so that reading more only costs time. */
function isFull({ count, maxCount }: ParamsBuilder): boolean {
  return count > maxCount;
}

function addPair(received: ParamsBuilder, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const { params, repeatedOrNonText: lists } = received;
  received.count += Array.isArray(value) ? Math.max(1, value.length) : 1;
  // This pair adds nothing to the signed text, so an attacker can have added it.
  if (name === "" && value === "") return;
  const first = params[name] ?? (name === "Media" ? received.media : undefined);
  // Reading the size first saves a tenth of the time of a request: the map is nearly always empty.
  if (first !== undefined || (lists.size > 0 && lists.has(name))) addRepeated(received, name, first, value);
  else if (typeof value === "string") params[name] = value;
  else if (!isFaxMedia(value)) addNonText(received, name, value);
  // A file of another name is ignored, because refusing it would lose the fax.
  else if (name === "Media") received.media = value;
}

function addRepeated(received: ParamsBuilder, name: string, first: unknown, value: unknown): void {
  // The file is used even if text with the same name precedes it.
  if (name === "Media" && isFaxMedia(value)) received.media ??= value;
  const list = received.repeatedOrNonText.get(name);
  if (list === undefined) received.repeatedOrNonText.set(name, [first, value]);
  else list.push(value);
}

/** Adds a value other than text. A body parser's array means a repeated name; its first text goes into `params`. */
function addNonText({ params, repeatedOrNonText }: ParamsBuilder, name: string, value: unknown): void {
  repeatedOrNonText.set(name, [value]);
  if (Array.isArray(value) && value.length > 1 && typeof value[0] === "string") params[name] = value[0];
}

/** The issue for a name in `repeatedOrNonText`. */
export function createListIssue(name: string, values: readonly unknown[]): FaxRequestIssue {
  if (values.flat().length > 1) return createIssue(name, "repeated", `${formatValue(name)} is repeated.`);
  // A number can be a phone number, which must not be logged.
  const received = typeof values[0] === "number" ? "a number" : formatValue(values[0]);
  return createIssue(name, "not-text", `${formatValue(name)} must be text, but received ${received}.`);
}

/** Whether a value is a `Blob` or `File` of any implementation. */
export function isFaxMedia(value: unknown): value is FaxMedia {
  return typeof value === "object" && value !== null && typeof (value as Partial<FaxMedia>).arrayBuffer === "function";
}

/**
 * WHATWG form decoding (https://url.spec.whatwg.org/#urlencoded-parsing). `decodeURIComponent` takes a third of the
 * time of `URLSearchParams`, with the same result. It throws for an invalid escape; `URLSearchParams` then decodes the
 * rest.
 */
function addFormText(received: ParamsBuilder, source: string): void {
  // "+" is a space, and "%2B" is a plus sign, so "+" is replaced before escapes are decoded.
  const spaced = source.includes("+") ? source.replaceAll("+", " ") : source;
  const text = (spaced as WellFormable).toWellFormed();
  for (let at = text.startsWith("?") ? 1 : 0, end; at < text.length && !isFull(received); at = end + 1) {
    // A search for each "&" of a body of "&" takes several times as long.
    end = text.charCodeAt(at) === 0x26 ? at : indexOrEnd(text, "&", at);
    if (end === at) continue;
    const pair = text.slice(at, end);
    const equals = indexOrEnd(pair, "=", 0);
    try {
      addPair(received, decodeComponent(pair.slice(0, equals)), decodeComponent(pair.slice(equals + 1)));
    } catch {
      // An escape is incomplete, or its bytes are not UTF-8. URLSearchParams would strip a leading "?" without the "&".
      addObject(received, new URLSearchParams("&" + text.slice(at)));
      return;
    }
  }
}

/** `toWellFormed` (ES2024) replaces lone surrogates with U+FFFD, as `URLSearchParams` does. Our `lib` is older. */
type WellFormable = string & { toWellFormed(): string };

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}

function decodeComponent(text: string): string {
  return text.includes("%") ? decodeURIComponent(text) : text;
}
