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
  if (typeof value === "string") {
    // The cut comes first: a message must not cost more for a megabyte than for a line.
    const text = value.slice(0, 1000).replace(/\/\/[^/?#]*@/g, "//***@");
    const short = text.length > 40 || value.length > 1000 ? text.slice(0, 40) + "…" : text;
    return JSON.stringify(short).replace(/[^\x20-\x7e…]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  }
  if (value === null || value === undefined || typeof value === "boolean" || typeof value === "number") return String(value);
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
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
  const near = candidates.find((candidate) => isNear(fold(value), fold(String(candidate))));
  return near === undefined ? "" : `; did you mean ${quote(near)}?`;
}

/** Equal when folded, one contained in the other ("pdf"), or at most two edits (Levenshtein) apart. */
function isNear(a: string, b: string): boolean {
  if (a.length > 2 && (b.includes(a) || a.includes(b))) return true;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]! <= Math.min(2, b.length - 2);
}
