/** The HTTP client of the provider: one request with its redirects, retries, password and time limits. */
import { optionError } from "../shared/messages.js";
import { canParseUrl } from "../shared/values.js";
import { type Cookie, getCookieHeader, storeCookies } from "./cookies.js";
import type { ErrorCodes, Failure, FlavorRules, Limits } from "./flavors.js";
import {
  type FileToSend,
  toPlatformRequest,
  type SentRequest,
  sign,
  type UnsignedRequest,
  withBody,
} from "./request.js";

/** The response to a request. */
export interface ReceivedResponse {
  /** HTTP status of the response. */
  readonly status: number;
  /** By lower-case name, without the cookies, which are in `cookies`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of the `Set-Cookie` headers, in order. */
  readonly cookies: readonly string[];
  /** The body as far as it was read: a provider reads at most 64 kB. */
  readonly body: string;
  /** Whether the body was UTF-8; if not, invalid bytes are U+FFFD in `body`. */
  readonly isUtf8: boolean;
}

/** A request with its response, or with the provider's error. */
export interface FaxExchange {
  /** The request that the provider sent. */
  readonly request: SentRequest;
  /** Milliseconds from the start of the conversation to the request. */
  readonly startMs: number;
  /** Milliseconds from the request to the response or the error. */
  readonly ms: number;
  /** The server's response, if there was one. */
  readonly response?: ReceivedResponse;
  /** The error that the provider logs, if there is one. */
  readonly error?: {
    /** The error number. */
    readonly code: number;
    /** The problem and its fix. */
    readonly message: string;
  };
}

/** The state that all requests of a conversation share. */
export interface ConversationContext {
  readonly authToken: string;
  readonly rules: FlavorRules;
  readonly fallbackUrl: string | undefined;
  /** The URL to connect to for a requested URL. */
  readonly getServerUrl: (url: string) => string;
  readonly fetch: (request: Request) => unknown;
  /** Whether `fetch` is a handler in this process. Its errors count as a status 500, not as a failed connection. */
  readonly isHandler: boolean;
  /** When the conversation started and when it ends, on the time scale of `clock()`. */
  readonly start: number;
  readonly deadline: number;
  readonly readMs: number;
  readonly cookies: Cookie[];
  readonly exchanges: FaxExchange[];
  /** The pages that the provider stores, by `MediaUrl`. */
  readonly storedPages: Map<string, FileToSend>;
}

/** Sends a request, with its redirects, retries and password, and returns the last exchange. */
export async function requestWithRetries(
  context: ConversationContext,
  { url, ...rest }: Omit<UnsignedRequest, "headers">,
): Promise<FaxExchange> {
  const first = await withBody({ ...rest, url, headers: context.rules.headers() });
  const limits = getLimits(url, context.rules);
  const { readMs, totalMs, retries } = limits;
  const bounded = { ...context, readMs, deadline: Math.min(context.deadline, clock() + totalMs) };
  let last = await followRedirects(bounded, first);
  for (let retry = 0; retry < retries && shouldRetry(last, limits, bounded); retry++) {
    last = await followRedirects(bounded, first);
  }
  return last;
}

/** The limits for a URL, whose fragment may override them. */
export function getLimits(url: string, rules: FlavorRules): Limits {
  return rules.limits(new URLSearchParams(new URL(url).hash.slice(1)));
}

function shouldRetry(last: FaxExchange, { retried }: Limits, { rules, deadline }: ConversationContext): boolean {
  const failure = classifyFailure(last, rules.errorCodes);
  const isRetried = failure !== undefined && (retried.includes(failure) || retried.includes("all"));
  return isRetried && clock() < deadline;
}

function classifyFailure({ response, error }: FaxExchange, { noResponse }: ErrorCodes): Failure | undefined {
  if (response === undefined) return error?.code === noResponse ? "rt" : "ct";
  if (response.status < 400) return undefined;
  return response.status < 500 ? "4xx" : "5xx";
}

async function followRedirects(context: ConversationContext, first: UnsignedRequest): Promise<FaxExchange> {
  const { maxRedirects, errorCodes } = context.rules;
  let next: UnsignedRequest | undefined = first;
  let last: FaxExchange | undefined;
  for (let hops = 0; next !== undefined; hops++) {
    if (hops > maxRedirects) {
      const message = `Too many redirects (limit: ${maxRedirects}). Use the URL of the final target.`;
      return recordError(context, last!, errorCodes.tooManyRedirects, message);
    }
    last = await requestWithPassword(context, next);
    next = createRedirectedRequest(last, next);
  }
  return last!;
}

/** The next request if the response is a redirect. 301 to 303 change a POST to a GET with parameters in the query. */
function createRedirectedRequest({ response }: FaxExchange, sent: UnsignedRequest): UnsignedRequest | undefined {
  const location = response?.headers["location"];
  if (location === undefined || !canParseUrl(location, sent.url)) return undefined;
  if (![301, 302, 303, 307, 308].includes(response!.status)) return undefined;
  const { href: url, protocol } = new URL(location, sent.url);
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  if (sent.method === "GET") {
    return { ...sent, url, params: Object.fromEntries(new URL(url).searchParams), isComplete: true };
  }
  if (response!.status >= 307) return { ...sent, url };
  const { "content-type": _form, ...headers } = sent.headers;
  return { method: "GET", url, params: sent.params, headers };
}

/** Sends a request, and sends it again with the URL's password if the server asks for it (RFC 7617). */
async function requestWithPassword(context: ConversationContext, unsigned: UnsignedRequest): Promise<FaxExchange> {
  const request = sign(unsigned, context.authToken, context.rules);
  const first = await requestOnce(context, request);
  const { username, password } = new URL(unsigned.url);
  const asksForPassword = /(^|,\s*)basic\b/i.test(first.response?.headers["www-authenticate"] ?? "");
  if (first.response?.status !== 401 || !asksForPassword || !username) return first;
  const credentials = new TextEncoder().encode(`${decodeUserinfo(username)}:${decodeUserinfo(password)}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  return requestOnce(context, { ...request, headers: { ...request.headers, authorization } });
}

function decodeUserinfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Sends one request with the cookies of the conversation. Never rejects. */
export async function requestOnce(context: ConversationContext, request: SentRequest): Promise<FaxExchange> {
  const sent = { ...request, headers: { ...request.headers, ...getCookieHeader(context.cookies, request.url) } };
  const startMs = Math.round(clock() - context.start);
  const result = await fetchWithTimeout(context, sent);
  // Rounded so that the sum of both is the time of the response.
  const exchange: FaxExchange = { ...result, startMs, ms: Math.round(clock() - context.start) - startMs };
  context.exchanges.push(exchange);
  storeCookies(context.cookies, request.url, exchange.response?.cookies ?? []);
  return exchange;
}

/** The platform's timers, captured at load time, because tests may install fake timers later. */
const [startTimer, stopTimer] = [globalThis.setTimeout, globalThis.clearTimeout];
export const clock = performance.now.bind(performance);

type ExchangeResult = Omit<FaxExchange, "startMs" | "ms">;

async function fetchWithTimeout(context: ConversationContext, request: SentRequest): Promise<ExchangeResult> {
  const ms = Math.min(context.readMs, context.deadline - clock());
  const message = `No response within ${Math.max(0, Math.round(ms))} ms. Answer first and save the pages later.`;
  const timedOut: ExchangeResult = { request, error: { code: context.rules.errorCodes.noResponse, message } };
  if (ms <= 0) return timedOut;
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<ExchangeResult>((resolve) => {
    timer = startTimer(() => {
      resolve(timedOut);
      controller.abort();
    }, Math.ceil(ms));
  });
  try {
    return await Promise.race([timeout, fetchResponse(context, request, controller.signal, clock() + ms)]);
  } finally {
    stopTimer(timer);
  }
}

async function fetchResponse(
  context: ConversationContext,
  request: SentRequest,
  signal: AbortSignal,
  deadline: number,
): Promise<ExchangeResult> {
  const { errorCodes } = context.rules;
  let hasResponse = false;
  try {
    const sent = { ...request, url: context.getServerUrl(request.url) };
    const response: unknown = await context.fetch(toPlatformRequest(sent, signal));
    checkResponse(response);
    hasResponse = true;
    const { size, ...received } = await receiveResponse(response, deadline);
    if (size <= MAX_BODY) return { request, response: received };
    const message = "The response exceeds 64 kB. Is it an HTML error page?";
    return { request, response: received, error: { code: errorCodes.tooLarge, message } };
  } catch (error) {
    if (!context.isHandler) return { request, error: toConnectionError(error, hasResponse, errorCodes) };
    const body = describeThrown(error).text;
    return { request, response: { status: 500, headers: {}, cookies: [], body, isUtf8: true } };
  }
}

function checkResponse(value: unknown): asserts value is Response {
  const { status, headers, bodyUsed } = Object(value) as Partial<Response>;
  if (typeof status !== "number" || !headers) {
    throw optionError("The value returned by fetch", "a Response", value);
  }
  if (bodyUsed) throw new TypeError("The Response returned by fetch was already read. Return a new one for each call.");
}

async function receiveResponse(response: Response, deadline: number): Promise<ReceivedResponse & { size: number }> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
  const cookies = response.headers.getSetCookie();
  return { status: response.status, headers, cookies, ...(await readLimitedBody(response, deadline)) };
}

function toConnectionError(error: unknown, hasResponse: boolean, codes: ErrorCodes): { code: number; message: string } {
  const { code, text } = describeThrown(error);
  const details = text.includes(code) ? text : `${code}: ${text}`;
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) {
    return { code: codes.unknownHost, message: `The host name was not found (${details}). Is the URL correct?` };
  }
  if (/CERT|SSL|TLS|UNABLE_TO/.test(code)) {
    const message = `The certificate is not trusted (${details}). Install one from a public certificate authority.`;
    return { code: codes.certificate, message };
  }
  if (hasResponse || /UND_ERR_SOCKET|ECONNRESET|EPIPE/.test(code)) {
    const message = `The server closed the connection before the end of the response (${details}). See its log.`;
    return { code: codes.noResponse, message };
  }
  return { code: codes.connection, message: `Could not connect (${details}). Is the server running?` };
}

/** The code and message of the innermost cause. Never throws, even for a revoked proxy. */
function describeThrown(thrown: unknown): { code: string; text: string } {
  let found = { code: "", text: "the thrown value is not an Error" };
  try {
    for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
      const { code, message } = error as { code?: unknown; message: unknown };
      found = { code: typeof code === "string" ? code : found.code, text: String(message).slice(0, 200) };
    }
    return found;
  } catch {
    return found;
  }
}

/** https://www.twilio.com/docs/api/errors/11750 */
const MAX_BODY = 64 * 1024;

type BodyResult = Pick<ReceivedResponse, "body" | "isUtf8"> & { readonly size: number };

/** Reads the body up to the provider's limit, so that a test with an endless body ends. */
async function readLimitedBody(response: Response, deadline: number): Promise<BodyResult> {
  if (response.body === undefined) {
    const body = await response.text();
    return { body, isUtf8: true, size: new TextEncoder().encode(body).length };
  }
  // Not with `readBytes`, which throws at its limit: the transcript shows the part that was read.
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    if (chunk.length > 0) chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY || clock() > deadline) break;
  }
  const bytes = await new Blob(chunks).arrayBuffer();
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true, size };
  } catch {
    return { body: new TextDecoder().decode(bytes), isUtf8: false, size };
  }
}

/** Adds the provider's error to an exchange, and replaces the exchange in the transcript. */
export function recordError(
  context: ConversationContext,
  exchange: FaxExchange,
  code: number,
  message: string,
): FaxExchange & Required<Pick<FaxExchange, "error">> {
  const withError = { ...exchange, error: { code, message } };
  const at = context.exchanges.indexOf(exchange);
  if (at >= 0) context.exchanges[at] = withError;
  return withError;
}
