/** The parts of error messages and logs: received values, suggestions and redacted URLs. */

/**
 * Formats a received value for an error message: at most 40 characters of it, escaped to single-line ASCII, without
 * credentials. Messages end up in logs and tickets.
 */
export function formatValue(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return describeObject(value);
  return /function|symbol|bigint/.test(typeof value) ? `a ${typeof value}` : String(value);
}

function quoteText(text: string): string {
  const masked = maskCredentials(text, /^(\w+:[/\\]*)?/);
  const short = masked.length > 40 ? masked.slice(0, 40) + "…" : masked;
  // Terminals and log viewers interpret some characters outside printable ASCII.
  return JSON.stringify(short).replace(/[^\x20-\x7e…]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
}

/** "a Promise", "a URL"; "an object" if the value has no descriptive class name. */
function describeObject(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === "Object" || !/^[A-Z]\w{0,30}$/.test(tag)) return "an object";
  return (/^[AEIO]/.test(tag) ? "an " : "a ") + tag;
}

/** The maximum length of a URL in a log, because a client can send a URL of any length. */
const MAX_LOGGED_URL = 200;

/** Formats a URL for a log: without userinfo or the credentials of nested URLs, truncated, in ASCII. */
export function redactUrl(url: string): string {
  // Without a path before it, a "?" may be part of a password.
  const [target] = /^(?:https?:\/\/)?[^/]*(?:\/[^?]*)?/i.exec(url)!;
  const query = url.slice(target.length);
  const masked = maskCredentials(target, /^(https?:\/\/)?/i) + maskCredentials(query, /^\??/);
  const escaped = masked.slice(0, MAX_LOGGED_URL + 1).replace(/[^\x20-\x7e]|[<>"]/g, percentEncode);
  return escaped.length > MAX_LOGGED_URL ? escaped.slice(0, MAX_LOGGED_URL - 3) + "..." : escaped;
}

function percentEncode(character: string): string {
  return "%" + character.charCodeAt(0).toString(16).padStart(2, "0");
}

/** Everything up to the last `@`, literal or percent-encoded any number of times. It may contain a password. */
const CREDENTIALS = /^.*(@|%(?:25)*40)/s;

/** Masks everything between the prefix that `start` matches (possibly an empty one) and the last `@`, inclusive. */
function maskCredentials(text: string, start: RegExp): string {
  const [kept] = start.exec(text)!;
  return kept + text.slice(kept.length).replace(CREDENTIALS, "***@");
}

/** Text that is not a token: up to four characters, and the start of a URL, path or host. */
const NOT_A_TOKEN = /^.{0,4}$|^\/|^[a-z\d+.-]*:\/\/|^[a-z\d-]+(?:\.[a-z\d-]+)+(?:[:/]|$)/i;

/**
 * The error for an invalid option or argument. Does not show text that may be a token; with `isSecret`, shows only the
 * type of a value.
 */
export function optionError(name: string, expected: string, value: unknown, isSecret = false): TypeError {
  const isHidden = isSecret
    ? /string|number|boolean/.test(typeof value)
    : typeof value === "string" && !NOT_A_TOKEN.test(value);
  const received = isHidden ? `a ${typeof value}` : formatValue(value);
  return new TypeError(`${name} must be ${expected}, but received ${received}.${hintFor(value)}`);
}

/** Checks that an option is an integer from `min` to `max`. */
export function checkInteger(name: string, value: unknown, min: number, max = Infinity): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw optionError(
    name,
    max === Infinity ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`,
    value,
  );
}

/** Checks that an option or argument is a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw optionError(name, "a function", value);
}

/** The message for an invalid value; `suggestion` is a result of {@link didYouMean}. */
export function formatMismatch(name: string, expected: string, value: unknown, suggestion = ""): string {
  return `${name} must be ${expected}, but received ${formatValue(value)}${suggestion}.${hintFor(value)}`;
}

/** The message for an unknown name; `kind` says what it names, such as "option". */
export function formatUnknownName(kind: string, name: string, known: readonly unknown[]): string {
  const all = `Known ${kind}s: ${known.join(", ") || "none"}. Names are case-sensitive.`;
  return `unknown ${kind} ${formatValue(name)}${didYouMean(name, known)}. ${all}`;
}

/** Returns a hint to append to a message: a missing call for a function, a missing await for a promise, else "". */
export function hintFor(value: unknown): string {
  if (typeof value === "function") return " Is a call missing?";
  return isPromise(value) ? " Is an await missing?" : "";
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return Object(value) === value && typeof (value as { then?: unknown }).then === "function";
}

/** Lowercases a name and removes separators and whitespace, because most misspelled names differ only in these. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, "");
}

/** Suggests the first similar candidate, as in ` (did you mean "pageSize"?)`; returns "" if there is none. */
export function didYouMean(value: unknown, candidates: Iterable<unknown>): string {
  if (typeof value !== "string" || value.length > 40) return "";
  for (const candidate of candidates) {
    if (isNear(foldName(value), foldName(String(candidate)))) return ` (did you mean ${formatValue(candidate)}?)`;
  }
  return "";
}

/** Whether one contains the other ("pdf"), or their Levenshtein distance is at most 2 and at most a third of `b`. */
function isNear(a: string, b: string): boolean {
  if (a.length > 2 && (b.includes(a) || a.includes(b))) return true;
  // The edit distances from the prefix of `a` that has been read to each prefix of `b`.
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
