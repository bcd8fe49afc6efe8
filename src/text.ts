/** What several files need of text: URLs, objects keyed by it, and the words of error messages. */

/** RFC 3986, section 3.1. Only http(s) is a URL that a provider fetches; the scheme decides before the parser may repair. */
const HTTP_URL = /^https?:\/\/[^/\\]/i;

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
  // A colon in the first segment makes a scheme of it (RFC 3986, section 4.2): "localhost:3000/x", "https:/typo".
  return !/^[^/?#]*:/.test(text) && !URL.canParse(text) && URL.canParse(text, "http://provider.invalid/");
}

/**
 * What came, fit for a message: at most 40 characters of it, on one line, in ASCII, and without what stands before an
 * `@`, where URLs have their password, because messages end in logs and tickets.
 */
export function quote(value: unknown): string {
  if (typeof value !== "string") {
    if (Array.isArray(value)) return "an array";
    return typeof value === "object" && value
      ? "an object"
      : /function|symbol|bigint/.test(typeof value)
        ? `a ${typeof value}`
        : String(value);
  }
  const at = Math.max(value.lastIndexOf("@"), value.lastIndexOf("%40"));
  const text = at < 0 ? value : /^(\w+:[/\\]*)?/.exec(value)![0] + "***" + value.slice(at);
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
  const near = candidates.find((candidate) => isNear(fold(value), fold(String(candidate))));
  return near === undefined ? "" : ` (did you mean ${quote(near)}?)`;
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
  return row[b.length]! <= Math.min(2, b.length / 3);
}
