/** The words of error messages: what came, shortened and escaped, and what was probably meant. */

/**
 * What came, fit for a message: at most 40 characters of it, on one line, in ASCII, and without what stands before an
 * `@`, where URLs have their password, because messages end in logs and tickets.
 */
export function formatValue(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return describeObject(value);
  return /function|symbol|bigint/.test(typeof value) ? `a ${typeof value}` : String(value);
}

/** All that stands before an `@`, in any depth of percent-encoding, which may be a password. */
export const CREDENTIALS = /^.*(@|%(?:25)*40)/s;

function quoteText(text: string): string {
  const scheme = /^(\w+:[/\\]*)?/.exec(text)![0];
  const shown = scheme + text.slice(scheme.length).replace(CREDENTIALS, "***$1");
  const short = shown.length > 40 ? shown.slice(0, 40) + "…" : shown;
  // All that a terminal or a log could take for more than text.
  return JSON.stringify(short).replace(/[^\x20-\x7e…]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
}

/** At most this much of an attacker's URL in a log. */
const SHOWN_LENGTH = 200;

/** A URL without userinfo and nested credentials, short, and in ASCII. */
export function redactUrl(url: string): string {
  const [target] = url.split("?", 1);
  const query = url.slice(target!.length);
  const [scheme] = /^https?:\/\//i.exec(target!) ?? [""];
  const place = target!.slice(scheme!.length).replace(CREDENTIALS, "***@");
  const shown = (scheme + place + query.replace(CREDENTIALS, "?***@")).slice(0, SHOWN_LENGTH + 1);
  const escaped = shown.replace(/[^\x20-\x7e]|[<>"]/g, percentEncode);
  return escaped.length > SHOWN_LENGTH ? escaped.slice(0, SHOWN_LENGTH - 3) + "..." : escaped;
}

function percentEncode(character: string): string {
  return "%" + character.charCodeAt(0).toString(16).padStart(2, "0");
}

/** "a Promise", "a URL"; "an object" for all that has no name of its own. */
function describeObject(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === "Object" || !/^[A-Z]\w{0,30}$/.test(tag)) return "an object";
  return (/^[AEIO]/.test(tag) ? "an " : "a ") + tag;
}

/** The error for an option that cannot be used; `end` is a full stop, or what was probably forgotten. */
export function optionError(name: string, expected: string, value: unknown, end = "."): TypeError {
  return new TypeError(`${name} must be ${expected}, not ${formatValue(value)}${end}`);
}

/** What was probably forgotten, for a value of a kind that nobody passes on purpose. */
export function hintFor(value: unknown): string {
  if (typeof value === "function") return ": is a call missing?";
  return isPromise(value) ? ": is an await missing?" : "";
}

export function isPromise(value: unknown): boolean {
  return Object(value) === value && typeof (value as { then?: unknown }).then === "function";
}

/** A name without its case, separators and white space, which are what people get wrong first. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, "");
}

/** ` (did you mean "pageSize"?)` for the candidate that `value` was probably meant to be, or nothing. */
export function didYouMean(value: unknown, candidates: Iterable<unknown>): string {
  if (typeof value !== "string" || value.length > 40) return "";
  for (const candidate of candidates) {
    if (isNear(foldName(value), foldName(String(candidate)))) return ` (did you mean ${formatValue(candidate)}?)`;
  }
  return "";
}

/** Equal when folded, one contained in the other ("pdf"), or at most two edits (Levenshtein) apart. */
function isNear(a: string, b: string): boolean {
  if (a.length > 2 && (b.includes(a) || a.includes(b))) return true;
  // Edits from what was read of `a` to every beginning of `b`.
  const edits = [...`${b}.`].map((_, length) => length);
  for (const letter of a) {
    let before = edits[0]!++;
    for (let i = 1; i < edits.length; i++) {
      const replaced = before + (letter === b[i - 1] ? 0 : 1);
      before = edits[i]!;
      edits[i] = Math.min(replaced, before + 1, edits[i - 1]! + 1);
    }
  }
  return edits.at(-1)! <= Math.min(2, b.length / 3);
}
