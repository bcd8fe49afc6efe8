/** multipart/form-data and the content type that announces it, read strictly: one reading on every runtime. */

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

/** Most bytes of the names and the text of a delivery. */
export interface MultipartLimits {
  readonly maxFormBytes: number;
}

/** A delivery has a dozen parts, and each of them two or three short headers. */
const MAX_PARTS = 1000;
const MAX_HEADER_BYTES = 4096;

/** RFC 2046, section 5.1.1, without what would need escaping in a quoted string. */
const BOUNDARY = /^[ !#-[\]-~]+$/;
const MAX_BOUNDARY = 70;

/**
 * The parts of a delivery, in order, by name: text, or a `File` where there is a filename.
 * RFC 7578, over RFC 2046, section 5.1; what is before the first boundary and behind the last is skipped, as there.
 */
export function readMultipart(
  bytes: Uint8Array,
  boundary: string | undefined,
  { maxFormBytes }: MultipartLimits,
): [name: string, value: string | File][] {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const delimiter = delimiterOf(boundary);
  const parts: [string, string | File][] = [];
  let textBytes = 0;
  let at = firstPart(body, delimiter);
  while (!isClosing(body, at)) {
    if (parts.length === MAX_PARTS) throw new MultipartError("too-large", `More than ${MAX_PARTS} parts came.`);
    const headersAt = lineEnd(body, at);
    const start = endOfHeaders(body, headersAt);
    const end = body.indexOf(delimiter, start);
    if (end < 0) throw unclosed();
    const headers = readHeaders(body.subarray(headersAt, start - 2));
    const part = readPart(headers, body.subarray(start, end));
    textBytes += Buffer.byteLength(part[0]) + (typeof part[1] === "string" ? end - start : 0);
    if (textBytes > maxFormBytes) throw new MultipartError("too-large", "The text fields are over maxFormBytes.");
    parts.push(part);
    at = end + delimiter.length;
  }
  return parts;
}

function unreadable(message: string): MultipartError {
  return new MultipartError("unreadable-body", message);
}

function unclosed(): MultipartError {
  return unreadable("Look for what cuts the delivery short: its closing boundary is missing.");
}

/** The line end belongs to the delimiter, not to the part before it. */
function delimiterOf(boundary = ""): Buffer {
  if (boundary.length <= MAX_BOUNDARY && BOUNDARY.test(boundary) && !boundary.endsWith(" ")) {
    return Buffer.from(`\r\n--${boundary}`, "latin1");
  }
  throw unreadable("The Content-Type of a delivery needs a boundary of 1 to 70 characters.");
}

/** Behind the first delimiter, whose line end is missing where nothing stands before it. */
function firstPart(body: Buffer, delimiter: Buffer): number {
  if (body.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2))) return delimiter.length - 2;
  const at = body.indexOf(delimiter);
  if (at < 0) throw unclosed();
  return at + delimiter.length;
}

function isClosing(body: Buffer, at: number): boolean {
  return body[at] === HYPHEN && body[at + 1] === HYPHEN;
}

const [TAB, CR, LF, SPACE, HYPHEN] = [0x09, 0x0d, 0x0a, 0x20, 0x2d];

/** Behind the line end of a delimiter, before which white space may stand. */
function lineEnd(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === SPACE || body[at] === TAB) at++;
  if (body[at] === CR && body[at + 1] === LF) return at + 2;
  throw unreadable("A line that begins with the boundary goes on behind it, or does not end with CR LF.");
}

/** Behind the empty line that ends the headers of a part. */
function endOfHeaders(body: Buffer, from: number): number {
  // The delimiter's line end may be that of the empty line, for a part without headers.
  const end = body.subarray(from - 2, from + MAX_HEADER_BYTES).indexOf("\r\n\r\n");
  if (end >= 0) return from - 2 + end + 4;
  if (body.length - from < MAX_HEADER_BYTES) throw unclosed();
  throw new MultipartError("too-large", `The headers of a part are over ${MAX_HEADER_BYTES} bytes.`);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unreadable("The names and the text of a delivery must be UTF-8.");
  }
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/;

/** The headers of a part by lower-case name. Folded lines and names that come twice have more than one reading. */
function readHeaders(bytes: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  const lines = decoded(bytes).split("\r\n");
  for (const line of lines.filter((each) => each !== "")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!TOKEN.test(name) || headers.has(name) || /[\0-\x08\x0a-\x1f\x7f]/.test(line)) {
      throw unreadable("A part of the delivery has a malformed or a repeated header.");
    }
    headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

function readPart(headers: ReadonlyMap<string, string>, bytes: Uint8Array): [string, string | File] {
  const disposition = parseHeader(headers.get("content-disposition"));
  const name = disposition?.parameters.get("name");
  if (disposition?.value !== "form-data" || name === undefined) {
    throw unreadable('A part of the delivery has no "Content-Disposition: form-data" with a name.');
  }
  if (!/^(7bit|8bit|binary)$/i.test(headers.get("content-transfer-encoding") ?? "binary")) {
    throw unreadable("A part of the delivery is encoded: RFC 7578, section 4.7, has no Content-Transfer-Encoding.");
  }
  const filename = fileNameOf(disposition.parameters);
  const contentType = parseHeader(headers.get("content-type"));
  if (filename === undefined) return [unescaped(name), textOf(bytes, contentType)];
  const file = new File([bytes as Uint8Array<ArrayBuffer>], filename, { type: contentType?.value ?? "" });
  return [unescaped(name), file];
}

/** Some encoders name a charset although all is ASCII. */
function textOf(bytes: Uint8Array, contentType: HeaderValue | undefined): string {
  const charset = contentType?.parameters.get("charset") ?? "utf-8";
  if (!/^(utf-?8|us-ascii)$/i.test(charset) && bytes.some((byte) => byte > 0x7f)) {
    throw unreadable("The text of a delivery must be UTF-8; a part names another charset.");
  }
  return decoded(bytes);
}

/** RFC 6266, section 4.3: `filename*` comes first. It is a name and no more: what cannot be read stays as it is. */
function fileNameOf(parameters: ReadonlyMap<string, string>): string | undefined {
  const extended = /^utf-8'[^']*'(.*)$/is.exec(parameters.get("filename*") ?? "")?.[1];
  if (extended === undefined) return unescaped(parameters.get("filename") ?? parameters.get("filename*"));
  try {
    return decodeURIComponent(extended);
  } catch {
    return extended;
  }
}

/** What WHATWG encoders write for a quote and for line ends. https://html.spec.whatwg.org/#multipart-form-data */
function unescaped<Text extends string | undefined>(text: Text): Text {
  return text?.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n") as Text;
}

/** A header's value in lower case, and its parameters by lower-case name. */
export interface HeaderValue {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The value, and white space behind it. */
const VALUE = /([!#$%&'*+.^`|~\w/-]+)[ \t]*/y;

/** A parameter, whose text is a token or quoted; a semicolon may stand alone. RFC 9110, section 5.6.6. */
const PARAMETER = /;[ \t]*(?:([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?/y;

/**
 * A Content-Type or a Content-Disposition by its grammar (RFC 9110, section 8.3.1; RFC 7578, section 4.2), or undefined
 * where anything is left over or comes twice: two readers would read that differently.
 */
export function parseHeader(header = ""): HeaderValue | undefined {
  VALUE.lastIndex = 0;
  const value = VALUE.exec(header)?.[1];
  if (value === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (let at = VALUE.lastIndex; at < header.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(header);
    if (match === null) return undefined;
    const [, name, token, quoted] = match;
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), token ?? quoted!.replace(/\\(.)/g, "$1"));
  }
  return { value: value.toLowerCase(), parameters };
}
