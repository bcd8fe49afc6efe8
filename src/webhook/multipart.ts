/** A strict parser of multipart/form-data: the same result on every runtime. */
import { type ContentType, CONTROL, parseContentType, parseHeader, TOKEN } from "./content-type.js";

/** Why a delivery cannot be read, in words; `reason` is the refusal's. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
  constructor(
    readonly reason: "unreadable-body" | "too-large",
    message: string,
  ) {
    super(message);
  }
}

/** Maximum bytes of the names and text of a body, and of its files. */
export interface BodyLimits {
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

/** A part in the order of the delivery: text, or a file where there is a filename. */
export type MultipartPair = [name: string, value: string | File];

/** A delivery has a dozen parts, and each of them one to five short headers. More costs a stranger less than us. */
const MAX_PARTS = 1000;
const MAX_HEADERS = 16;
const MAX_HEADER_BYTES = 4096;

/**
 * The parts of a delivery (RFC 7578, over RFC 2046, section 5.1). A preamble and an epilogue are skipped, as there, but
 * no line of them, or of a part, may begin with the boundary: readers that take LF for a line end would split there.
 */
export function readMultipart(
  bytes: Uint8Array,
  boundary: string | undefined,
  { maxFormBytes, maxMediaBytes }: BodyLimits,
): MultipartPair[] {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const delimiter = createDelimiter(boundary);
  const pairs: MultipartPair[] = [];
  const room: RemainingBytes = { form: maxFormBytes, media: maxMediaBytes };
  let at = firstDelimiter(body, delimiter);
  while (!isClosing(body, at)) {
    if (pairs.length === MAX_PARTS) throw partTooLargeError(`Send fewer parts: more than ${MAX_PARTS} came.`);
    const start = skipLineEnd(body, at);
    // The line end of a delimiter may be the beginning of the next one.
    const next = nextDelimiter(body, delimiter, start - 1);
    pairs.push(readPart(body, start, next - 1, room));
    at = next + delimiter.length;
  }
  checkEpilogue(body, delimiter, at + 2);
  return pairs;
}

function unreadableError(message: string): MultipartError {
  return new MultipartError("unreadable-body", message);
}

function partTooLargeError(message: string): MultipartError {
  return new MultipartError("too-large", message);
}

const [TAB, LF, CR, SPACE, HYPHEN] = [0x09, 0x0a, 0x0d, 0x20, 0x2d];

/** RFC 2046, section 5.1.1, without what would need escaping in a quoted string. */
const BOUNDARY = /^[ !#-[\]-~]{0,69}[!#-[\]-~]$/;

/** Begins with a byte that it has only once, so that a search is linear on every runtime, whatever is searched. */
function createDelimiter(boundary = ""): Buffer {
  if (BOUNDARY.test(boundary)) return Buffer.from(`\n--${boundary}`, "latin1");
  throw unreadableError("Give the Content-Type of the delivery a boundary of 1 to 70 printable characters.");
}

/** Behind the first delimiter, which has no line end before it where it begins the body. */
function firstDelimiter(body: Buffer, delimiter: Buffer): number {
  const dashes = delimiter.subarray(1);
  if (body.subarray(0, dashes.length).equals(dashes)) return dashes.length;
  return nextDelimiter(body, delimiter, 0) + delimiter.length;
}

/** Where the next delimiter's LF stands, whose CR has to stand before it. Both belong to the delimiter. */
function nextDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  const at = body.indexOf(delimiter, from);
  if (at < 0) throw unreadableError("Look for what cuts the delivery short: its closing boundary is missing.");
  if (body[at - 1] !== CR)
    throw unreadableError("End every line before a boundary with CR LF: one ends with LF alone.");
  return at;
}

function isClosing(body: Buffer, at: number): boolean {
  return body[at] === HYPHEN && body[at + 1] === HYPHEN;
}

/** Behind the white space that may stand after a boundary. RFC 2046, section 5.1.1, transport-padding. */
function skipPadding(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === SPACE || body[at] === TAB) at++;
  return at;
}

function skipLineEnd(body: Buffer, from: number): number {
  const at = skipPadding(body, from);
  if (body[at] === CR && body[at + 1] === LF) return at + 2;
  throw unreadableError("Choose a boundary that begins no other line, and end its lines with CR LF.");
}

function checkEpilogue(body: Buffer, delimiter: Buffer, from: number): void {
  const at = skipPadding(body, from);
  if (at === body.length) return;
  const epilogue = skipLineEnd(body, at);
  if (body.indexOf(delimiter, epilogue - 1) < 0) return;
  throw unreadableError("Send nothing behind the closing boundary: another boundary stands there.");
}

function readPart(body: Buffer, start: number, end: number, room: RemainingBytes): MultipartPair {
  const contentAt = findHeadersEnd(body, start, end);
  const headers = parsePartHeaders(body.toString("latin1", start, contentAt - 4));
  checkEncoding(headers.get("content-transfer-encoding") ?? "binary");
  const { name, filename } = readDisposition(headers.get("content-disposition"));
  // Where nothing says more, all is text in UTF-8. RFC 7578, section 4.4.
  const contentType = parseContentType(headers.get("content-type") ?? "text/plain");
  if (contentType?.type.startsWith("multipart/"))
    throw unreadableError("Send each file as a part: a part holds parts.");
  const content = body.subarray(contentAt, end);
  const isText = filename === undefined;
  consume(room, Buffer.byteLength(name) + (isText ? content.length : 0), isText ? 0 : content.length);
  if (isText) return [name, decodeTextPart(content, contentType)];
  // An odd type never costs the pages.
  const type = headers.has("content-type") ? contentType?.type : "";
  return [name, new File([content as Buffer<ArrayBuffer>], filename, { type: type ?? "" })];
}

/** Bytes that are left of the limits. */
interface RemainingBytes {
  form: number;
  media: number;
}

/** Before anything is decoded or copied. */
function consume(room: RemainingBytes, formBytes: number, mediaBytes: number): void {
  room.form -= formBytes;
  room.media -= mediaBytes;
  if (room.form < 0) throw partTooLargeError("Raise maxFormBytes, or send less: the names and the text are larger.");
  if (room.media < 0) throw partTooLargeError("Raise maxMediaBytes, or send less: the file is larger.");
}

/** Behind the empty line after the headers, which is never the delimiter's own line end: readers differ there. */
function findHeadersEnd(body: Buffer, start: number, end: number): number {
  const at = body.subarray(start, Math.min(start + MAX_HEADER_BYTES, end)).indexOf("\r\n\r\n");
  if (at >= 0) return start + at + 4;
  if (end - start < MAX_HEADER_BYTES) throw unreadableError("Put an empty line behind the headers of every part.");
  throw partTooLargeError(`Send shorter headers: those of a part are over ${MAX_HEADER_BYTES} bytes.`);
}

/** By lower-case name, a character for a byte. Folded lines and names that come twice have more than one reading. */
function parsePartHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  const lines = text.split("\r\n", MAX_HEADERS + 1);
  if (lines.length > MAX_HEADERS) throw partTooLargeError(`Send fewer headers: a part has more than ${MAX_HEADERS}.`);
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!TOKEN.test(name) || CONTROL.test(line) || headers.has(name)) {
      throw unreadableError("Send each header of a part once, on one line: one is malformed or repeated.");
    }
    headers.set(name, line.slice(colon + 1));
  }
  return headers;
}

/** RFC 7578, section 4.7. */
function checkEncoding(header: string): void {
  const encoding = parseHeader(header)?.value ?? "";
  if (["7bit", "8bit", "binary"].includes(encoding)) return;
  throw unreadableError("Send the parts as they are: one has a Content-Transfer-Encoding that changes it.");
}

/** RFC 7578, section 4.2, which knows no `name*`: who reads it has another name. */
function readDisposition(header: string | undefined): { name: string; filename: string | undefined } {
  const { value, parameters } = parseHeader(header) ?? {};
  const name = parameters?.get("name");
  if (value !== "form-data" || name === undefined || parameters!.has("name*")) {
    throw unreadableError('Give every part one "Content-Disposition: form-data" with one name: a part has none.');
  }
  return { name: unescapeName(decodeUtf8(Buffer.from(name, "latin1"))), filename: readFilename(parameters!) };
}

/**
 * RFC 6266, section 4.3: `filename*` comes first. RFC 7578 forbids it; .NET and Java write it. An odd file name never
 * costs the pages: what cannot be read stays as it is.
 */
function readFilename(parameters: ReadonlyMap<string, string>): string | undefined {
  const extended = parameters.get("filename*");
  const percentEncoded = /^utf-8'[^']*'(.*)$/i.exec(extended ?? "")?.[1];
  const filename = parameters.get("filename") ?? extended;
  if (percentEncoded === undefined) return filename && unescapeName(Buffer.from(filename, "latin1").toString());
  try {
    return decodeURIComponent(percentEncoded);
  } catch {
    return percentEncoded;
  }
}

/** What WHATWG encoders write for a quote and for line ends. https://html.spec.whatwg.org/#multipart-form-data */
function unescapeName(text: string): string {
  return text.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n");
}

/** Java's encoders name ISO-8859-1 by default, whatever the text: in ASCII these are UTF-8. */
const ASCII_CHARSET = /^(us-ascii|iso-8859-1|windows-1252)$/i;

function decodeTextPart(bytes: Buffer, contentType: ContentType | undefined): string {
  const charset = contentType && (contentType.parameters.get("charset") ?? "utf-8");
  const isAscii = ASCII_CHARSET.test(charset ?? "") && bytes.every((byte) => byte < 0x80);
  if (isAscii || /^utf-?8$/i.test(charset ?? "")) return decodeUtf8(bytes);
  throw unreadableError("Send text as UTF-8: a part names another charset.");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Fatally: with replacement characters many bodies would read the same, none of them as the provider signed it.
 * A byte order mark is text, as WHATWG form parsing has it.
 */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unreadableError("Send names and text as UTF-8: some of it is not.");
  }
}
