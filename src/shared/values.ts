/** Which text is a URL that a provider can fetch. */

/** RFC 3986, section 3.1. The scheme decides before the platform's parser may repair "https:/typo". */
const HTTP_URL = /^https?:\/\/[^/\\]/i;

/** A path makes a URL with any base, and is what nearly everyone writes: no need to ask the parser. */
const PLAIN_PATH = /^\/[^/\\\s]/;

/** A colon in the first segment makes a scheme of it (RFC 3986, section 4.2): "localhost:3000/x", "https:/typo". */
const HAS_SCHEME = /^[^/?#]*:/;

/** A host of 64 K international characters costs the platform's parser most of a second. */
const MAX_LENGTH = 2048;

/** The platform's URL parser, named by structure so that the core needs neither DOM nor Node types. */
declare const URL: { canParse(url: string, base?: string): boolean };

/** Whether `text` is an absolute http(s) URL that the WHATWG parser accepts. */
export function isHttpUrl(text: string): boolean {
  return text.length <= MAX_LENGTH && HTTP_URL.test(text) && URL.canParse(text);
}

/** Whether text from outside is an http(s) URL without what breaks a log or a header. */
export function isSafeHttpUrl(text: string): boolean {
  // The URL parser drops line ends, while whoever writes the text into a header or a log does not.
  return !/[\0-\x1f\x7f]/.test(text) && isHttpUrl(text);
}

/** Whether `text` is a reference that is resolved against the document, and makes a URL of it. */
export function isRelativeReference(text: string): boolean {
  if (PLAIN_PATH.test(text)) return true;
  return text.length <= MAX_LENGTH && !HAS_SCHEME.test(text) && URL.canParse(text, "http://provider.invalid/");
}
