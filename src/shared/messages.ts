/** The parts of error messages and logs: received values, redacted URLs and suggestions. */

/**
 * The received value for an error message: at most 40 characters, in one line of ASCII, without credentials, because
 * messages end up in logs and tickets.
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
  // Terminals and log viewers interpret some of the other characters.
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

/** The longest URL in a log. Attackers choose the length of what they send. */
const MAX_URL_LENGTH = 200;

/** A URL for a log: without userinfo and nested credentials, shortened, and in ASCII. */
export function redactUrl(url: string): string {
  const [target] = url.split("?", 1);
  const query = url.slice(target!.length);
  const masked = maskCredentials(target!, /^(https?:\/\/)?/i) + maskCredentials(query, /^\??/);
  const escaped = masked.slice(0, MAX_URL_LENGTH + 1).replace(/[^\x20-\x7e]|[<>"]/g, percentEncode);
  return escaped.length > MAX_URL_LENGTH ? escaped.slice(0, MAX_URL_LENGTH - 3) + "..." : escaped;
}

function percentEncode(character: string): string {
  return "%" + character.charCodeAt(0).toString(16).padStart(2, "0");
}

/** Everything before an `@` (percent-encoded any number of times): it may be a password. */
export const CREDENTIALS = /^.*(@|%(?:25)*40)/s;

/** Replaces everything between the text's beginning, as `start` matches it, and the last `@`. */
function maskCredentials(text: string, start: RegExp): string {
  const [kept] = start.exec(text)!;
  return kept + text.slice(kept.length).replace(CREDENTIALS, "***@");
}

/** The beginning of a message about a verb, such as "<Receive>: ". */
export function formatVerbPrefix(verb: string | undefined): string {
  return verb === undefined ? "" : `<${verb}>: `;
}

/** The error for an invalid option or argument. */
export function optionError(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, but received ${formatValue(value)}.${hintFor(value)}`);
}

/** Suggests the missing step for a function or a promise, as a sentence that follows another one; otherwise "". */
export function hintFor(value: unknown): string {
  if (typeof value === "function") return " Is a call missing?";
  return isPromise(value) ? " Is an await missing?" : "";
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return Object(value) === value && typeof (value as { then?: unknown }).then === "function";
}

/** A name in lower case, without separators and white space, which people get wrong first. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, "");
}

/** Suggests the first near candidate, as in ` (did you mean "pageSize"?)`; an empty string if there is none. */
export function didYouMean(value: unknown, candidates: Iterable<unknown>): string {
  if (typeof value !== "string" || value.length > 40) return "";
  for (const candidate of candidates) {
    if (isNear(foldName(value), foldName(String(candidate)))) return ` (did you mean ${formatValue(candidate)}?)`;
  }
  return "";
}

/** Whether one contains the other ("pdf"), or they are at most two edits (Levenshtein) apart. */
function isNear(a: string, b: string): boolean {
  if (a.length > 2 && (b.includes(a) || a.includes(b))) return true;
  // Edits from the part of `a` that was read to every beginning of `b`.
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
