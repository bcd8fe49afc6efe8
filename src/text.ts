/** What several files need of text: URLs, objects keyed by it, and the words of error messages. */

/** RFC 3986, section 3.1. Only http(s) is a URL that a provider fetches; the scheme decides before the parser may repair. */
const HTTP_URL = /^https?:\/\//i;

/** The platform's URL parser, named by structure so that the core needs neither DOM nor Node types. */
declare const URL: { canParse(url: string, base?: string): boolean };

/** Whether `text` is an absolute http(s) URL that the WHATWG parser accepts. */
export function isHttpUrl(text: string): boolean {
  return HTTP_URL.test(text) && URL.canParse(text);
}

/** Whether `text` is a reference that is resolved against the document, and makes a URL of it. */
export function isRelativeReference(text: string): boolean {
  // A path always makes a URL, and is what nearly everyone writes: no need to ask the parser, which takes its time.
  if (/^\/[^/\\\s]/.test(text)) return true;
  // What looks absolute, to the parser or to a reader of "https:/typo", is none.
  return !URL.canParse(text) && !/^\s*[a-z][a-z\d+.-]*:/i.test(text) && URL.canParse(text, "http://provider.invalid/");
}

/**
 * What came, fit for a message: at most 40 characters of it, on one line, in ASCII, and without the password of a URL,
 * because messages end in logs and tickets.
 */
export function quote(value: unknown): string {
  if (typeof value !== "string") return Array.isArray(value) ? "an array" : Object(value) === value ? "an object" : String(value);
  // The cut comes first: a message must not cost more for a megabyte than for a line.
  const text = value.slice(0, 1000).replace(/\/\/[^/?#]*@/g, "//***@");
  const short = text.length > 40 ? text.slice(0, 40) + "…" : text;
  return JSON.stringify(short).replace(/[^\x20-\x7e…]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/**
 * An object without a prototype, for names that come from outside. V8 keeps properties that are added to it as fast as
 * those of `{}`, while `Object.create(null)` makes a hash table, which takes twice the time to fill and freeze.
 */
export function bare<Value>(): Record<string, Value> {
  return Object.setPrototypeOf({}, null);
}

/** Case, separators and white space are what people get wrong first. */
export function fold(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, "");
}

/** ` (did you mean "pageSize"?)` for the candidate that `value` was probably meant to be, or nothing. */
export function didYouMean(value: unknown, candidates: readonly unknown[]): string {
  if (typeof value !== "string" || value.length > 40) return "";
  const given = fold(value);
  // A slip of the pen seldom comes in the first three letters, and "pdf" stands for "application/pdf".
  const near = candidates.find((candidate) => {
    const name = fold(String(candidate));
    return name.slice(0, 3) === given.slice(0, 3) || (given.length > 2 && name.includes(given)) || given.includes(name);
  });
  return near === undefined ? "" : ` (did you mean ${quote(near)}?)`;
}
