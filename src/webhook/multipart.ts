/** A strict parser of multipart/form-data: the same result on every runtime. */
import { formatValue } from "../shared/messages.js";
import { decodeUtf8 } from "./bytes.js";
import { type ContentType, CONTROL, parseContentType, parseDisposition, parseHeader, TOKEN } from "./content-type.js";
import { RefusedError, unreadableBodyError } from "./refusal.js";

/** Maximum bytes of the names and text of a body, and of its files. */
export interface BodyLimits {
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

/** A part: text, or a file if it has a filename or is a `Media` of another type than text. */
export type MultipartPair = [name: string, value: string | File];

/** Providers send about a dozen parts with up to five short headers. Parsing more costs us more than the sender. */
const MAX_PARTS = 1000;
const MAX_HEADERS = 16;
const MAX_HEADER_BYTES = 4096;

/**
 * Parses the parts of a body in order (RFC 7578, based on RFC 2046, section 5.1). Skips the preamble and the epilogue.
 * Throws if a line in the preamble, the epilogue or a part begins with the boundary, because parsers that accept LF as
 * a line break would split the body there.
 */
export function readMultipart(
  bytes: Uint8Array,
  boundary: string | undefined,
  { maxFormBytes, maxMediaBytes }: BodyLimits,
): MultipartPair[] {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const delimiter = createDelimiter(boundary);
  const pairs: MultipartPair[] = [];
  const remaining: RemainingBytes = { form: maxFormBytes, media: maxMediaBytes };
  let at = firstDelimiter(body, delimiter);
  while (!isClosing(body, at)) {
    if (pairs.length === MAX_PARTS) throw partTooLargeError(`The multipart body has more than ${MAX_PARTS} parts.`);
    const start = skipLineEnd(body, at);
    // Delimiters may share a line break.
    const next = nextDelimiter(body, delimiter, start - 1);
    pairs.push(readPart(body, start, next - 1, remaining));
    at = next + delimiter.length;
  }
  checkEpilogue(body, delimiter, at + 2);
  return pairs;
}

/** The fix for an error that only the sender of the body can correct. */
const REPORT = "If no proxy changes the request, report this to the provider.";

function unreadableError(fact: string, fix = REPORT): RefusedError {
  return unreadableBodyError(`${fact} ${fix}`);
}

function partTooLargeError(fact: string, fix = REPORT): RefusedError {
  return new RefusedError({ reason: "too-large" }, `${fact} ${fix}`);
}

const [TAB, LF, CR, SPACE, HYPHEN] = [0x09, 0x0a, 0x0d, 0x20, 0x2d];

/** RFC 2046, section 5.1.1, without the characters that need escaping in a quoted string. */
const BOUNDARY = /^[ !#-[\]-~]{0,69}[!#-[\]-~]$/;

/** The first byte of a delimiter does not occur again in it, so searching takes linear time on every runtime. */
function createDelimiter(boundary: string | undefined): Buffer {
  if (boundary !== undefined && BOUNDARY.test(boundary)) return Buffer.from(`\n--${boundary}`);
  throw unreadableError(
    `The boundary in Content-Type must be 1 to 70 printable ASCII characters, but received ${formatValue(boundary)}.`,
  );
}

/** The end of the first delimiter. At the beginning of the body, no line break precedes it. */
function firstDelimiter(body: Buffer, delimiter: Buffer): number {
  const dashes = delimiter.subarray(1);
  if (body.subarray(0, dashes.length).equals(dashes)) return dashes.length;
  return nextDelimiter(body, delimiter, 0) + delimiter.length;
}

const CHECK_SIZE_LIMITS = "Check the size limits of the server and its proxies.";

/** The position of the next delimiter's LF. The CR before it is required, and part of the delimiter. */
function nextDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  const at = body.indexOf(delimiter, from);
  if (at < 0) throw unreadableError("The closing boundary is missing, so the body is incomplete.", CHECK_SIZE_LIMITS);
  if (body[at - 1] !== CR) throw unreadableError("The line before a boundary ends with LF instead of CR LF.");
  return at;
}

function isClosing(body: Buffer, at: number): boolean {
  return body[at] === HYPHEN && body[at + 1] === HYPHEN;
}

/** The end of the whitespace after a boundary ("transport-padding" in RFC 2046, section 5.1.1). */
function skipPadding(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === SPACE || body[at] === TAB) at++;
  return at;
}

const TEXT_AFTER_BOUNDARY = "A line begins with the boundary, but has more text or does not end with CR LF.";

function skipLineEnd(body: Buffer, from: number): number {
  const at = skipPadding(body, from);
  if (body[at] === CR && body[at + 1] === LF) return at + 2;
  throw unreadableError(TEXT_AFTER_BOUNDARY);
}

function checkEpilogue(body: Buffer, delimiter: Buffer, from: number): void {
  const at = skipPadding(body, from);
  // RFC 2046, section 5.1.1, requires readers to ignore what follows, such as half a line break.
  if (body[at] === CR || body[at] === LF || at === body.length) {
    if (!body.includes(delimiter, at)) return;
    throw unreadableError("Another boundary follows the closing boundary.");
  }
  throw unreadableError(TEXT_AFTER_BOUNDARY);
}

function readPart(body: Buffer, start: number, end: number, remaining: RemainingBytes): MultipartPair {
  const contentAt = findHeadersEnd(body, start, end);
  const headers = parsePartHeaders(body.toString("latin1", start, contentAt - 4));
  checkEncoding(headers.get("content-transfer-encoding") ?? "binary");
  const { name, filename } = readDisposition(headers.get("content-disposition"));
  const typeHeader = headers.get("content-type")?.replace(/^[ \t]+$/, "");
  // The default is text in UTF-8 (RFC 7578, section 4.4), also for an empty header (RFC 2045, section 5.2).
  const contentType = parseContentType(typeHeader || "text/plain");
  if (contentType?.type.startsWith("multipart/")) throw unreadableError("A part contains other parts.");
  const content = body.subarray(contentAt, end);
  const isText = filename === undefined && !isUnnamedMedia(name, contentType);
  consume(remaining, Buffer.byteLength(name) + (isText ? content.length : 0), isText ? 0 : content.length);
  if (isText) return [name, decodeTextPart(content, contentType)];
  // A malformed type never loses the pages.
  const type = (typeHeader && contentType?.type) ?? "";
  return [name, new File([content], filename ?? "", { type })];
}

/** Whether a part without a filename, which is optional (RFC 7578, section 4.2), contains the pages. */
function isUnnamedMedia(name: string, contentType: ContentType | undefined): boolean {
  return name === "Media" && contentType !== undefined && !contentType.type.startsWith("text/");
}

/** The unused bytes of the limits. */
interface RemainingBytes {
  form: number;
  media: number;
}

const RAISE = "Raise the limit if the provider sends that much.";

/** Subtracts the bytes of a part. Called before its content is decoded or copied. */
function consume(remaining: RemainingBytes, formBytes: number, mediaBytes: number): void {
  remaining.form -= formBytes;
  remaining.media -= mediaBytes;
  if (remaining.form < 0) throw partTooLargeError("The names and text exceed maxFormBytes.", RAISE);
  if (remaining.media < 0) throw partTooLargeError("The files exceed maxMediaBytes.", RAISE);
}

/** The end of the empty line after the headers. The delimiter's line break does not count: parsers disagree on it. */
function findHeadersEnd(body: Buffer, start: number, end: number): number {
  const at = body.subarray(start, Math.min(start + MAX_HEADER_BYTES, end)).indexOf("\r\n\r\n");
  if (at !== -1) return start + at + 4;
  if (end - start < MAX_HEADER_BYTES) throw unreadableError("A part has no empty line after its headers.");
  throw partTooLargeError(`The headers of a part exceed ${MAX_HEADER_BYTES} bytes.`);
}

/** Headers by lower-case name, in latin1. Folded lines and repeated names are refused, because they are ambiguous. */
function parsePartHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  const lines = text.split("\r\n", MAX_HEADERS + 1);
  if (lines.length > MAX_HEADERS) throw partTooLargeError(`A part has more than ${MAX_HEADERS} headers.`);
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    // A filename may contain other control characters.
    const invalid = name === "content-disposition" ? /[\r\n]/ : CONTROL;
    if (!TOKEN.test(name) || invalid.test(line) || headers.has(name)) {
      throw unreadableError("A header of a part is malformed, folded or repeated.");
    }
    headers.set(name, line.slice(colon + 1));
  }
  return headers;
}

const UNENCODED: readonly unknown[] = ["7bit", "8bit", "binary"];

/** Checks that a part is not encoded. RFC 7578, section 4.7. */
function checkEncoding(header: string): void {
  const encoding = parseHeader(header)?.value;
  if (UNENCODED.includes(encoding)) return;
  throw unreadableError(
    `Content-Transfer-Encoding must be 7bit, 8bit or binary, but received ${formatValue(encoding)}.`,
  );
}

/** Reads the names of a part (RFC 7578, section 4.2). Refuses `name*`, which other parsers prefer to `name`. */
function readDisposition(header: string | undefined): { name: string; filename: string | undefined } {
  const { value, parameters } = parseDisposition(header) ?? {};
  const name = parameters?.get("name");
  if (value !== "form-data" || name === undefined || parameters!.has("name*")) {
    throw unreadableError('A part has no valid "Content-Disposition: form-data" header with one name.');
  }
  return { name: unescapeName(decodeText(Buffer.from(name, "latin1"))), filename: readFilename(parameters!) };
}

/**
 * Reads the file name. `filename*` has precedence (RFC 6266, section 4.3); RFC 7578 forbids it, but .NET and Java write
 * it. Text that cannot be decoded is kept, because the pages must not be lost for a malformed file name.
 */
function readFilename(parameters: ReadonlyMap<string, string>): string | undefined {
  const extended = parameters.get("filename*");
  const percentEncoded = extended?.match(/^utf-8'[^']*'(.*)/i)?.[1];
  const filename = parameters.get("filename") ?? extended;
  if (percentEncoded === undefined) return filename && unescapeName(Buffer.from(filename, "latin1").toString());
  try {
    return decodeURIComponent(percentEncoded);
  } catch {
    return percentEncoded;
  }
}

/** Decodes the characters that WHATWG encoders escape. https://html.spec.whatwg.org/#multipart-form-data */
function unescapeName(text: string): string {
  return text.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n");
}

/** Charsets in which ASCII text is also UTF-8. Java's encoders declare ISO-8859-1 by default, for any text. */
const ASCII_CHARSET = /^(us-ascii|iso-8859-1|windows-1252)$/i;

function decodeTextPart(bytes: Buffer, contentType: ContentType | undefined): string {
  if (contentType === undefined) throw unreadableError("The Content-Type of a text part is malformed.");
  const charset = contentType.parameters.get("charset") ?? "utf-8";
  const isAscii = ASCII_CHARSET.test(charset) && bytes.every((byte) => byte <= 0x7f);
  if (isAscii || /^utf-?8$/i.test(charset)) return decodeText(bytes);
  throw unreadableError(`The charset of a text part must be utf-8, but received ${formatValue(charset)}.`);
}

/**
 * Decodes text. Throws for bytes that are not UTF-8, because with replacement characters different bodies would decode
 * to the same text, which is not the signed text.
 */
function decodeText(bytes: Buffer): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw unreadableError("A name or the text of a part is not valid UTF-8.");
  return text;
}
