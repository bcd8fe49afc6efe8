/** The query of a request, or its body, to a Form, within limits. */
import { type Form, readForm } from "../params.js";
import { isEmpty } from "../request.js";
import type { WebhookRequest } from "./http.js";
import { readMultipart } from "./multipart.js";
import { Refused } from "./refusal.js";

/** Most bytes of a form, and of the pages in a delivery. */
export interface BodyLimits {
  readonly maxFormBytes: number;
  readonly maxMediaBytes: number;
}

/** The Form of what {@link sourceOf} gave. */
export function formOf({ method }: WebhookRequest, source: unknown, limits: BodyLimits): Form {
  const form = readForm(source);
  if (form.media && form.media.size > limits.maxMediaBytes) throw new Refused({ reason: "too-large" });
  if (method === "POST" && isEmpty(form)) throw new Refused({ reason: "missing-body" });
  return form;
}

/** The query of the very URL that is verified: what stands behind a "#" is signed by nobody. */
function queryOf(url: string): string {
  return /^[^?#]*(\?[^#]*)/.exec(url)?.[1] ?? "";
}

/**
 * Where the parameters of a request stand, or a promise of it while bytes are read: its query, or the body of a POST,
 * whose query does not count. Text, the parts of a delivery, or what a body parser has made.
 */
export function sourceOf({ method, url, headers }: WebhookRequest, body: unknown, limits: BodyLimits): unknown {
  if (method !== "POST") return queryOf(url);
  const contentType = headers["content-type"] ?? "";
  if (isType(contentType, "application/x-www-form-urlencoded")) {
    if (typeof body === "string") return limitedText(body, limits.maxFormBytes);
    return isRaw(body) ? readFormBytes(headers, body, limits.maxFormBytes) : body;
  }
  if (!isType(contentType, "multipart/form-data")) throw new Refused({ reason: "unsupported-media-type" });
  // The text fields and the boundaries of a delivery stand beside its pages.
  const limit = limits.maxMediaBytes + limits.maxFormBytes;
  if (typeof body === "string") {
    return readMultipart(wholeBytes(limitedText(body, limit)), contentType, limits.maxFormBytes);
  }
  return isRaw(body) ? readDelivery(headers, body, limit, limits.maxFormBytes) : body;
}

type Headers = WebhookRequest["headers"];
type RawBody = Uint8Array | AsyncIterable<Uint8Array | string>;

/** Whether a content type is `type`, with or without parameters. */
function isType(contentType: string, type: string): boolean {
  if (contentType.length < type.length) return false;
  return contentType.slice(0, type.length).toLowerCase() === type && /^\s*(;|$)/.test(contentType.slice(type.length));
}

function limitedText(body: string, limit: number): string {
  // One UTF-16 unit is at most three bytes of UTF-8: short bodies need no count.
  if (body.length * 3 > limit && Buffer.byteLength(body) > limit) throw new Refused({ reason: "too-large" });
  return body;
}

/** The bytes of a delivery that came as text. What a decoder has replaced is lost: better no pages than broken ones. */
function wholeBytes(body: string): Uint8Array {
  if (!body.includes("\ufffd")) return Buffer.from(body);
  throw new Refused({ reason: "unreadable-body", error: new Error("The body was decoded as text, and broken by it.") });
}

// As WHATWG form parsing has it: a byte order mark is text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

async function readFormBytes(headers: Headers, body: RawBody, limit: number): Promise<string> {
  return decoder.decode(await readBytes(headers, body, limit));
}

async function readDelivery(headers: Headers, body: RawBody, limit: number, textLimit: number): Promise<unknown> {
  return readMultipart(await readBytes(headers, body, limit), headers["content-type"]!, textLimit);
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

/** One growing buffer: a list of chunks costs a stranger who sends single bytes a hundred times less than us. */
async function readStream(body: AsyncIterable<Uint8Array | string>, limit: number): Promise<Uint8Array> {
  let bytes = Buffer.alloc(Math.min(limit, 64 * 1024));
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
    throw error instanceof Refused ? error : new Refused({ reason: "unreadable-body", error });
  }
  return bytes.subarray(0, size);
}

function grown(bytes: Buffer, used: number, length: number): Buffer<ArrayBuffer> {
  return Buffer.concat([bytes.subarray(0, used)], length);
}
