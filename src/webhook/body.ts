/** The query of a request, or its body, to a Form, within limits. */
import { type ReceivedParams, readParams } from "../params/received-params.js";
import type { FaxCallback } from "../params/fax.js";
import { readBytes } from "./bytes.js";
import { getQuery, type WebhookRequest } from "./http.js";
import { isFormType, parseContentType } from "./content-type.js";
import { MultipartError, readMultipart } from "./multipart.js";
import { SWML_HINT } from "./hints.js";
import { RefusedError } from "./refusal.js";

/** Most bytes of a form, and of the pages in a delivery. */
export interface BodyLimits {
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

const MULTIPART = "multipart/form-data";

/** A provider sends a dozen. Every one costs time in each of the texts that are hashed. */
const MAX_PARAMS = 1000;

/**
 * Where the parameters of a request stand, or a promise of it while bytes are read: its query, or the body of a POST,
 * whose query does not count. Text, bytes, the parts of a delivery, or what a body parser has made.
 */
export function sourceOf({ method, url, headers }: WebhookRequest, body: unknown, limits: BodyLimits): unknown {
  if (method !== "POST") return getQuery(url);
  const header = headers["content-type"];
  if (isFormType(header)) return formSource(headers, body, limits.maxFormBytes);
  const contentType = parseContentType(header);
  if (contentType?.type === MULTIPART && limits.maxMediaBytes > 0) {
    return deliverySource(headers, body, contentType.parameters.get("boundary"), limits);
  }
  throw new RefusedError({ reason: "unsupported-media-type" }, contentTypeHint(header, contentType?.type));
}

/** The Form of what {@link sourceOf} gave. */
export function formOf({ method }: WebhookRequest, source: unknown, limits: BodyLimits): ReceivedParams {
  const form = readParams(source);
  if (form.count > MAX_PARAMS) throw new RefusedError({ reason: "too-large" });
  if (form.media && form.media.size > limits.maxMediaBytes) throw new RefusedError({ reason: "too-large" });
  // A body parser may have had other limits.
  if (typeof source === "object" && countText(form) > limits.maxFormBytes)
    throw new RefusedError({ reason: "too-large" });
  if (method === "POST" && form.count === 0) throw new RefusedError({ reason: "missing-body" });
  return form;
}

function contentTypeHint(header: string | undefined, type: string | undefined): string | undefined {
  if (type === "application/json") return SWML_HINT;
  if (header === undefined || type !== undefined) return undefined;
  return "The Content-Type can be read in more than one way, or in none: it is refused, as is its body.";
}

type Headers = WebhookRequest["headers"];
type RawBody = Uint8Array | AsyncIterable<Uint8Array | string>;

function formSource(headers: Headers, body: unknown, limit: number): unknown {
  if (typeof body === "string") return checkTextLength(body, limit);
  return isRaw(body) ? readRawBody(headers, body, limit) : body;
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
  const bytes =
    typeof body === "string" ? encodeIntactText(checkTextLength(body, limit)) : await readRawBody(headers, body, limit);
  if (bytes.length === 0) return undefined;
  try {
    return readMultipart(bytes, boundary, limits);
  } catch (error) {
    throw error instanceof MultipartError ? multipartRefusal(error) : error;
  }
}

function multipartRefusal(error: MultipartError): RefusedError {
  if (error.reason === "too-large") return new RefusedError({ reason: "too-large" }, error.message);
  return new RefusedError({ reason: "unreadable-body", error }, error.message);
}

function countText({ params }: ReceivedParams): number {
  return Object.keys(params).reduce((length, name) => length + name.length + params[name]!.length, 0);
}

function checkTextLength(body: string, limit: number): string {
  // One UTF-16 unit is at most three bytes of UTF-8: short bodies need no count.
  if (body.length * 3 > limit && Buffer.byteLength(body) > limit) throw new RefusedError({ reason: "too-large" });
  return body;
}

/** The bytes of a delivery that came as text. What a decoder has replaced is lost: better no pages than broken ones. */
function encodeIntactText(body: string): Uint8Array {
  if (!body.includes("\ufffd")) return Buffer.from(body);
  const message = "Pass the body as bytes: it was decoded as text, which has broken the pages.";
  throw new RefusedError({ reason: "unreadable-body", error: new Error(message) }, message);
}

function isRaw(body: unknown): body is RawBody {
  return body instanceof Uint8Array || isStream(body);
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

async function readRawBody(headers: Headers, body: RawBody, limit: number): Promise<Uint8Array> {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw new RefusedError({ reason: "unsupported-media-type" });
  const announced = isStream(body) ? Number(headers["content-length"] ?? 0) : body.length;
  if (announced > limit) throw new RefusedError({ reason: "too-large" });
  return isStream(body) ? readStream(body, limit) : body;
}

/** Any error of the stream itself is a body that ended early. */
async function readStream(body: AsyncIterable<Uint8Array | string>, limit: number): Promise<Uint8Array> {
  try {
    return await readBytes(body, limit, () => new RefusedError({ reason: "too-large" }));
  } catch (error) {
    throw error instanceof RefusedError ? error : new RefusedError({ reason: "unreadable-body", error }, CUT_SHORT);
  }
}

const CUT_SHORT = "The body ended early: the connection broke, or something else was reading it. See `error`.";

/** Refuses a delivery whose pages something in front has taken away: 200 would say that they have arrived. */
export function refuseIfFileWasConsumed({ headers }: WebhookRequest, { faxStatus, media, params }: FaxCallback): void {
  if (faxStatus !== "received" || (media?.size ?? 0) > 0 || params["MediaUrl"]) return;
  if (parseContentType(headers["content-type"])?.type !== MULTIPART) return;
  const message = "Mount the webhook before the body parser: it has taken the pages out of this delivery.";
  throw new RefusedError({ reason: "unreadable-body", error: new Error(message) }, message);
}
