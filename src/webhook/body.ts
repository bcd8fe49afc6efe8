/** The parameters of a request, from its query or its body, within limits. */
import { type ReceivedParams, readParams } from "../params/received-params.js";
import type { FaxCallback } from "../params/fax.js";
import { isPromise } from "../shared/messages.js";
import { isBytes, toUint8Array } from "../shared/objects.js";
import { readBytes } from "./bytes.js";
import { isFormType, parseContentType } from "./content-type.js";
import { getQuery, type WebhookRequest } from "./http.js";
import { type BodyLimits, readMultipart } from "./multipart.js";
import { SWML_HINT } from "./hints.js";
import { RefusedError, unreadableBodyError } from "./refusal.js";

const MULTIPART = "multipart/form-data";

/** Providers send about a dozen parameters. Each parameter lengthens every text that is hashed. */
const MAX_PARAMS = 1000;

/**
 * Reads the parameters of a request: from the body of a POST, else from the query.
 * Returns a promise only if the body is a stream or a promise. Throws, or rejects with, a RefusedError.
 */
export function readRequestParams(
  request: WebhookRequest,
  body: unknown,
  limits: BodyLimits,
): ReceivedParams | Promise<ReceivedParams> {
  const { method, url, headers } = request;
  if (method !== "POST") return checkCount(readParams(getQuery(url), MAX_PARAMS));
  const { limit, parse } = chooseFormat(headers["content-type"], limits);
  if (typeof body === "string") return parse(checkTextLength(body, limit));
  if (isBytes(body)) {
    checkRawBody(headers, body.byteLength, limit);
    return parse(toUint8Array(body));
  }
  if (isStream(body)) return readStream(headers, body, limit).then(parse);
  if (isPromise(body)) return Promise.resolve(body).then((value) => readRequestParams(request, value, limits));
  return readParsedBody(body, limits);
}

/** The maximum bytes of a body, and its parser. */
interface BodyFormat {
  readonly limit: number;
  readonly parse: (body: string | Uint8Array) => ReceivedParams;
}

function chooseFormat(header: string | undefined, limits: BodyLimits): BodyFormat {
  const { maxFormBytes, maxMediaBytes } = limits;
  if (isFormType(header)) return { limit: maxFormBytes, parse: readForm };
  const contentType = parseContentType(header);
  if (contentType?.type !== MULTIPART || maxMediaBytes === 0) {
    throw new RefusedError({ reason: "unsupported-media-type" }, contentTypeHint(header, contentType?.type));
  }
  const boundary = contentType.parameters.get("boundary");
  // The sum of both limits, because the body has names, text and boundaries in addition to the pages.
  return { limit: maxFormBytes + maxMediaBytes, parse: (body) => readMultipartForm(body, boundary, limits) };
}

function contentTypeHint(header: string | undefined, type: string | undefined): string | undefined {
  if (type === "application/json") return SWML_HINT;
  if (header === undefined || type !== undefined) return undefined;
  return "The Content-Type header is malformed or ambiguous. Check whether a proxy changes or repeats it.";
}

function checkCount(params: ReceivedParams): ReceivedParams {
  if (params.count > MAX_PARAMS) throw new RefusedError({ reason: "too-large" });
  return params;
}

function readForm(source: unknown): ReceivedParams {
  const params = checkCount(readParams(source, MAX_PARAMS));
  if (params.count === 0) throw new RefusedError({ reason: "missing-body" });
  return params;
}

function readMultipartForm(
  body: string | Uint8Array,
  boundary: string | undefined,
  limits: BodyLimits,
): ReceivedParams {
  const bytes = typeof body === "string" ? encodeIntactText(body) : body;
  if (bytes.length === 0) throw new RefusedError({ reason: "missing-body" });
  return readForm(readMultipart(bytes, boundary, limits));
}

/** Encodes a multipart body that is text. Refuses it if a decoder has replaced bytes, which corrupts the pages. */
function encodeIntactText(body: string): Uint8Array {
  if (!body.includes("\ufffd")) return Buffer.from(body);
  throw unreadableBodyError("The multipart body was decoded as text, which corrupts the pages. Pass it as bytes.");
}

/** Reads the parameters of a body parser's object. Checks its size, because the parser may have other limits. */
function readParsedBody(body: unknown, { maxFormBytes, maxMediaBytes }: BodyLimits): ReceivedParams {
  const params = readForm(body);
  const isTooLarge = (params.media?.size ?? 0) > maxMediaBytes || countText(params) > maxFormBytes;
  if (isTooLarge) throw new RefusedError({ reason: "too-large" });
  return params;
}

function countText({ params }: ReceivedParams): number {
  return Object.keys(params).reduce((length, name) => length + name.length + params[name]!.length, 0);
}

function checkTextLength(body: string, limit: number): string {
  // A UTF-16 unit is at most three bytes of UTF-8. Measuring a usual body would take 70 ns of a 7 µs request.
  if (body.length * 3 > limit && Buffer.byteLength(body) > limit) throw new RefusedError({ reason: "too-large" });
  return body;
}

type Headers = WebhookRequest["headers"];
type Stream = AsyncIterable<Uint8Array | string>;

/** Checks a body that is not parsed yet. Only a body parser would have decompressed it. */
function checkRawBody(headers: Headers, length: number, limit: number): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw new RefusedError({ reason: "unsupported-media-type" });
  if (length > limit) throw new RefusedError({ reason: "too-large" });
}

function isStream(body: unknown): body is Stream {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/** Reads the bytes of a stream. Any error of the stream itself means that the body ended early. */
async function readStream(headers: Headers, body: Stream, limit: number): Promise<Uint8Array> {
  checkRawBody(headers, Number(headers["content-length"] ?? 0), limit);
  try {
    return await readBytes(body, limit, () => new RefusedError({ reason: "too-large" }));
  } catch (error) {
    throw error instanceof RefusedError ? error : new RefusedError({ reason: "unreadable-body", error });
  }
}

/** Refuses a multipart callback whose file was consumed by other middleware: a 200 would confirm pages we never got. */
export function refuseIfFileWasConsumed({ headers }: WebhookRequest, { faxStatus, media, params }: FaxCallback): void {
  if (faxStatus !== "received" || media?.size || params["MediaUrl"]) return;
  if (parseContentType(headers["content-type"])?.type !== MULTIPART) return;
  throw unreadableBodyError(
    "The multipart callback contains no pages. Mount the webhook before middleware that reads it.",
  );
}
