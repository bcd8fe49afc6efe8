/** The query of a request, or its body, to a Form, within limits. */
import { type Form, readForm } from "../params/received-params.js";
import type { FaxCallback } from "../params/fax.js";
import { queryOf, type WebhookRequest } from "./http.js";
import { MultipartError, parseContentType, readMultipart } from "./multipart.js";
import { Refused, SWML_HINT } from "./refusal.js";

/** Most bytes of a form, and of the pages in a delivery. */
export interface BodyLimits {
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

const FORM = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data";

/** A provider sends a dozen. Every one costs time in each of the texts that are hashed. */
const MAX_PARAMS = 1000;

/**
 * Where the parameters of a request stand, or a promise of it while bytes are read: its query, or the body of a POST,
 * whose query does not count. Text, bytes, the parts of a delivery, or what a body parser has made.
 */
export function sourceOf({ method, url, headers }: WebhookRequest, body: unknown, limits: BodyLimits): unknown {
  if (method !== "POST") return queryOf(url);
  const header = headers["content-type"];
  if (header === FORM) return formSource(headers, body, limits.maxFormBytes);
  const contentType = parseContentType(header);
  if (contentType?.type === FORM) return formSource(headers, body, limits.maxFormBytes);
  if (contentType?.type === MULTIPART && limits.maxMediaBytes > 0) {
    return deliverySource(headers, body, contentType.parameters.get("boundary"), limits);
  }
  throw new Refused({ reason: "unsupported-media-type" }, typeHint(header, contentType?.type));
}

/** The Form of what {@link sourceOf} gave. */
export function formOf({ method }: WebhookRequest, source: unknown, limits: BodyLimits): Form {
  const form = readForm(source);
  if (form.count > MAX_PARAMS) throw new Refused({ reason: "too-large" });
  if (form.media && form.media.size > limits.maxMediaBytes) throw new Refused({ reason: "too-large" });
  // A body parser may have had other limits.
  if (typeof source === "object" && textLength(form) > limits.maxFormBytes) throw new Refused({ reason: "too-large" });
  if (method === "POST" && form.count === 0) throw new Refused({ reason: "missing-body" });
  return form;
}

function typeHint(header: string | undefined, type: string | undefined): string | undefined {
  if (type === "application/json") return SWML_HINT;
  if (header === undefined || type !== undefined) return undefined;
  return "The Content-Type can be read in more than one way, or in none: it is refused, as is its body.";
}

type Headers = WebhookRequest["headers"];
type RawBody = Uint8Array | AsyncIterable<Uint8Array | string>;

function formSource(headers: Headers, body: unknown, limit: number): unknown {
  if (typeof body === "string") return limitedText(body, limit);
  return isRaw(body) ? readBytes(headers, body, limit) : body;
}

async function deliverySource(
  headers: Headers,
  body: unknown,
  boundary: string | undefined,
  limits: BodyLimits,
): Promise<unknown> {
  // The text fields and the boundaries of a delivery stand beside its pages.
  const limit = limits.maxMediaBytes + limits.maxFormBytes;
  if (typeof body !== "string" && !isRaw(body)) return body;
  const bytes = typeof body === "string" ? wholeBytes(limitedText(body, limit)) : await readBytes(headers, body, limit);
  if (bytes.length === 0) return undefined;
  try {
    return readMultipart(bytes, boundary, limits);
  } catch (error) {
    throw error instanceof MultipartError ? refusedDelivery(error) : error;
  }
}

function refusedDelivery(error: MultipartError): Refused {
  if (error.reason === "too-large") return new Refused({ reason: "too-large" }, error.message);
  return new Refused({ reason: "unreadable-body", error }, error.message);
}

function textLength({ params }: Form): number {
  return Object.keys(params).reduce((length, name) => length + name.length + params[name]!.length, 0);
}

function limitedText(body: string, limit: number): string {
  // One UTF-16 unit is at most three bytes of UTF-8: short bodies need no count.
  if (body.length * 3 > limit && Buffer.byteLength(body) > limit) throw new Refused({ reason: "too-large" });
  return body;
}

/** The bytes of a delivery that came as text. What a decoder has replaced is lost: better no pages than broken ones. */
function wholeBytes(body: string): Uint8Array {
  if (!body.includes("\ufffd")) return Buffer.from(body);
  const message = "Pass the body as bytes: it was decoded as text, which has broken the pages.";
  throw new Refused({ reason: "unreadable-body", error: new Error(message) }, message);
}

function isRaw(body: unknown): body is RawBody {
  return body instanceof Uint8Array || isStream(body);
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

async function readBytes(headers: Headers, body: RawBody, limit: number): Promise<Uint8Array> {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw new Refused({ reason: "unsupported-media-type" });
  const announced = isStream(body) ? Number(headers["content-length"] ?? 0) : body.length;
  if (announced > limit) throw new Refused({ reason: "too-large" });
  return isStream(body) ? readStream(body, limit) : body;
}

/** A form has less than this as a rule, and a stranger who sends nothing more should not hold more. */
const FIRST_BYTES = 4096;

/** One growing buffer: a list of chunks costs a stranger who sends single bytes a hundred times less than us. */
async function readStream(body: AsyncIterable<Uint8Array | string>, limit: number): Promise<Uint8Array> {
  let bytes = Buffer.allocUnsafeSlow(Math.min(limit, FIRST_BYTES));
  let size = 0;
  try {
    for await (const part of body) {
      const chunk = typeof part === "string" ? Buffer.from(part) : part;
      const end = size + chunk.length;
      if (end > limit) throw new Refused({ reason: "too-large" });
      if (end > bytes.length) bytes = grown(bytes, size, Math.min(limit, Math.max(end, 2 * bytes.length)));
      bytes.set(chunk, size);
      size = end;
    }
  } catch (error) {
    throw error instanceof Refused ? error : new Refused({ reason: "unreadable-body", error }, CUT_SHORT);
  }
  return bytes.subarray(0, size);
}

const CUT_SHORT = "The body ended early: the connection broke, or something else was reading it. See `error`.";

/** Not filled with zeros, so that memory is used only for what was sent; nobody sees what stands behind it. */
function grown(bytes: Buffer, used: number, length: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(length);
  larger.set(bytes.subarray(0, used));
  return larger;
}

/** Refuses a delivery whose pages something in front has taken away: 200 would say that they have arrived. */
export function requirePages({ headers }: WebhookRequest, { faxStatus, media, params }: FaxCallback): void {
  if (faxStatus !== "received" || (media?.size ?? 0) > 0 || params["MediaUrl"]) return;
  if (parseContentType(headers["content-type"])?.type !== MULTIPART) return;
  const message = "Mount the webhook before the body parser: it has taken the pages out of this delivery.";
  throw new Refused({ reason: "unreadable-body", error: new Error(message) }, message);
}
