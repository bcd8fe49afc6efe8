/** Words for error messages: what came, shortened and escaped, and what was probably meant. */

/** RFC 3986, section 3.1. Only http(s) is a URL that a provider fetches; the scheme decides before the parser may repair. */
const HTTP_URL = /^https?:\/\//i;

/** The platform's URL parser, named by structure so that the core needs neither DOM nor Node types. */
declare const URL: new (url: string, base?: string) => object;

/** Whether `text` is an absolute http(s) URL that the WHATWG parser accepts. */
export function isHttpUrl(text: string): boolean {
  return HTTP_URL.test(text) && parses(text);
}

/** Whether the WHATWG URL parser accepts `text`, alone or against `base`. */
export function parses(text: string, base?: string): boolean {
  try {
    return !!new URL(text, base);
  } catch {
    return false;
  }
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
