/** Any source of parameters to a Form: one flat record of text, the pages, and what could not stand in the record. */
import { type FaxRequestIssue, createIssue } from "../shared/errors.js";
import { formatValue } from "../shared/messages.js";
import { emptyRecord } from "../shared/objects.js";

/**
 * Where parameters come from: a form body or query string (a leading `?` is allowed) as text or bytes, any iterable of
 * pairs (`URLSearchParams`, `FormData`, `Map`), or a plain object as body parsers make (`req.body`, `req.query`).
 *
 * @example
 * const sources: FaxParamSource[] = ["FaxSid=FX1", new URLSearchParams("FaxSid=FX1"), { FaxSid: "FX1" }];
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export type FaxParamSource = string | Uint8Array | Iterable<readonly [name: string, value: unknown]> | ParamRecord;

/** A body parser's object, of any type. */
type ParamRecord = (object & NotASource) | ({ readonly [name: string]: unknown } & NotASource);

/** What a promise, a request, a response, a stream and a URL have, and no record of parameters. */
interface NotASource {
  readonly then?: never;
  readonly arrayBuffer?: never;
  readonly searchParams?: never;
  readonly [Symbol.asyncIterator]?: never;
  readonly [Symbol.iterator]?: never;
}

/**
 * The file of a multipart delivery, by structure: a `File` or `Blob` of the platform is one.
 *
 * @example
 * const bytes = new Uint8Array(await media.arrayBuffer());
 * @see https://www.w3.org/TR/FileAPI/
 */
export interface FaxMedia {
  /** File name that the provider gave, if any. It comes from outside: never make a path of it. */
  readonly name?: string;
  /** `"application/pdf"` or `"image/tiff"`, as the provider says. */
  readonly type: string;
  /** Length in bytes. */
  readonly size: number;
  /** The bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What `readForm` makes of a source. A source is read once: it may be an iterable that gives its pairs only once. */
export interface ReceivedParams {
  /** What came: kept for the message when nothing could be read of it. */
  readonly source: unknown;
  /** How many parameters came, repeated ones included. */
  readonly count: number;
  /** Every text by its name; of a repeated name the first. */
  readonly params: Readonly<Record<string, string>>;
  /** The file `Media`. */
  readonly media: FaxMedia | undefined;
  /**
   * All values, in order, of each name that came more than once or not as text: what was signed is more than `params`.
   * A body parser's array stands in the list as it came.
   */
  readonly repeatedOrNonText: ReadonlyMap<string, readonly unknown[]>;
  /** What {@link getSignedTexts} has made, once it was asked. */
  texts: readonly string[] | undefined;
}

/** A Form while it is read. */
interface OpenForm {
  count: number;
  readonly params: Record<string, string>;
  media: FaxMedia | undefined;
  readonly lists: Map<string, unknown[]>;
}

/** The platform's decoders, named by structure so that the core needs neither DOM nor Node types. */
declare const URLSearchParams: new (text: string) => Iterable<[string, string]>;
declare const TextDecoder: new (
  label: string,
  options: { ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

/** All parameters of a source. */
export function readParams(source: unknown): ReceivedParams {
  const form: OpenForm = { count: 0, params: emptyRecord<string>(), media: undefined, lists: new Map() };
  if (typeof source === "string") addFormText(form, source);
  // As WHATWG form parsing has it: a byte order mark is text.
  else if (source instanceof Uint8Array)
    addFormText(form, new TextDecoder("utf-8", { ignoreBOM: true }).decode(source));
  else if (typeof source === "object" && source !== null) addObject(form, source);
  const { count, params, media, lists } = form;
  return { source, count, params: Object.freeze(params), media, repeatedOrNonText: lists, texts: undefined };
}

/**
 * The signed text of the parameters: every name followed by its value, sorted by name. For a repeated name Twilio takes
 * each distinct value once, sorted, and SignalWire's SDK all of them in order, so there may be two readings; there is
 * none where a value is not text, as after a parser that nests, because what was signed is not known then.
 */
export function getSignedTexts(form: ReceivedParams): readonly string[] {
  form.texts ??= form.repeatedOrNonText.size === 0 ? [joinRecord(form.params)!] : joinLists(form);
  return form.texts;
}

function joinLists({ params, repeatedOrNonText: lists }: ReceivedParams): string[] {
  const values = new Map<string, unknown[]>(Object.entries(params).map(([name, value]) => [name, [value]]));
  for (const [name, list] of lists) values.set(name, list.flat().filter(isSignable).map(toSentText));
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  if (!sorted.every(([, list]) => list.every((value) => typeof value === "string"))) return [];
  const distinct = sorted.flatMap(([name, list]) => [...new Set(list)].sort().map((value) => name + value));
  const ordered = sorted.flatMap(([name, list]) => list.map((value) => name + value));
  return [...new Set([distinct.join(""), ordered.join("")])];
}

/** A JSON parser's number or boolean was text when it was signed. */
function toSentText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

function isSignable(value: unknown): boolean {
  return value !== undefined && value !== null && !isFaxMedia(value);
}

/** The text of a record, if it holds text alone. */
export function joinRecord(params: Readonly<Record<string, unknown>>): string | undefined {
  let text = "";
  for (const name of Object.keys(params).sort()) {
    const value = params[name];
    if (typeof value !== "string") return undefined;
    text += name + value;
  }
  return text;
}

function addObject(form: OpenForm, source: object): void {
  // A stream or a whole request: what it holds beside its body is no parameter.
  if (Symbol.asyncIterator in source) return;
  if (Symbol.iterator in source) {
    for (const pair of source as Iterable<unknown>) {
      if (Array.isArray(pair) && typeof pair[0] === "string") addPair(form, pair[0], pair[1]);
    }
  } else {
    for (const name of Object.keys(source)) addPair(form, name, (source as Record<string, unknown>)[name]);
  }
}

function addPair(form: OpenForm, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  form.count += Array.isArray(value) ? Math.max(1, value.length) : 1;
  const first = form.params[name] ?? (name === "Media" ? form.media : undefined);
  if (first !== undefined || (form.lists.size > 0 && form.lists.has(name))) addRepeated(form, name, first, value);
  else if (typeof value === "string") form.params[name] = value;
  else if (!isFaxMedia(value)) addNonText(form, name, value);
  // A file of another name is not a parameter: it does not cost the fax.
  else if (name === "Media") form.media = value;
}

function addRepeated(form: OpenForm, name: string, first: unknown, value: unknown): void {
  // Pages are better than none, also behind a text of their name.
  if (name === "Media" && isFaxMedia(value)) form.media ??= value;
  const list = form.lists.get(name);
  if (list === undefined) form.lists.set(name, [first, value]);
  else list.push(value);
}

/** Of a body parser's array, which stands for a repeated name, the first text counts, as it does for pairs. */
function addNonText(form: OpenForm, name: string, value: unknown): void {
  form.lists.set(name, [value]);
  if (Array.isArray(value) && value.length > 1 && typeof value[0] === "string") form.params[name] = value[0];
}

/** What is wrong with a name of `lists`. */
export function createListIssue(name: string, values: readonly unknown[]): FaxRequestIssue {
  if (values.flat().length > 1) return createIssue(name, "repeated", `${formatValue(name)} came more than once.`);
  return createIssue(name, "not-text", `${formatValue(name)} must be text, not ${formatValue(values[0])}.`);
}

/** Whether a value is a `Blob` or `File`, of whichever implementation. */
export function isFaxMedia(value: unknown): value is FaxMedia {
  return typeof value === "object" && value !== null && typeof (value as Partial<FaxMedia>).arrayBuffer === "function";
}

/**
 * WHATWG form decoding (https://url.spec.whatwg.org/#urlencoded-parsing): by `decodeURIComponent`, which gives the same
 * in a third of the time of `URLSearchParams`, up to the first escape that it refuses, and by `URLSearchParams` from
 * there on.
 */
function addFormText(form: OpenForm, source: string): void {
  const text = (source as WellFormable).toWellFormed();
  let at = text.startsWith("?") ? 1 : 0;
  let equals = -1;
  while (at < text.length) {
    if (text.charCodeAt(at) === AMPERSAND) {
      at++;
      continue;
    }
    const end = indexOrEnd(text, "&", at);
    // Looked for again only when the last one is used up: a body without any must not be searched for every pair.
    if (equals < at) equals = indexOrEnd(text, "=", at);
    const middle = Math.min(equals, end);
    try {
      addPair(form, decodeComponent(text.slice(at, middle)), decodeComponent(text.slice(middle + 1, end)));
    } catch {
      // An escape that is not UTF-8, or not an escape. The "&" keeps a "?" at the start from being taken away.
      for (const [name, value] of new URLSearchParams("&" + text.slice(at))) addPair(form, name, value);
      return;
    }
    at = end + 1;
  }
}

const AMPERSAND = 0x26;

/** Standard since ES2024; the types are older. Lone surrogates become U+FFFD, as `URLSearchParams` has it. */
type WellFormable = string & { toWellFormed(): string };

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}

function decodeComponent(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  return spaced.includes("%") ? decodeURIComponent(spaced) : spaced;
}
