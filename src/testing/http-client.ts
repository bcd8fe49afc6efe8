/** One request and what comes back, as a provider makes it: redirects, retries, passwords and time limits. */
import { formatValue } from "../shared/messages.js";
import { type Cookie, getCookieHeader, keepCookies } from "./cookies.js";
import type { Failure, FlavorRules, Limits } from "./flavors.js";
import { toPlatformRequest, type SentRequest, sign, type UnsignedRequest, withBody } from "./request.js";

/** What came back. */
export interface ReceivedResponse {
  readonly status: number;
  /** By lower-case name; cookies are kept out, they are in `cookies`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  /** What was read of it: a provider stops behind 64 kB. */
  readonly body: string;
  /** Whether the body was UTF-8; if not, `body` has U+FFFD for what was none. */
  readonly isUtf8: boolean;
}

/** A request with what came back, or with the provider's error. */
export interface FaxExchange {
  readonly request: SentRequest;
  /** Milliseconds until the answer, or the error, was there. */
  readonly ms: number;
  readonly response?: ReceivedResponse;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What is the same for all requests of a conversation. */
export interface ConversationContext {
  readonly authToken: string;
  readonly rules: FlavorRules;
  readonly fetch: (request: Request) => unknown;
  /** Whether `fetch` is a handler in this process: what it throws is a server's 500, and no lost connection. */
  readonly isHandler: boolean;
  /** When everything has to be over, by `clock()`. */
  readonly deadline: number;
  readonly readMs: number;
  readonly cookies: Cookie[];
  readonly exchanges: FaxExchange[];
}

/** The last exchange of a request: after its redirects, its retries, and the password that was asked for. */
export async function requestWithRetries(
  line: ConversationContext,
  { url, ...rest }: Omit<UnsignedRequest, "headers">,
): Promise<FaxExchange> {
  const first = await withBody({ ...rest, url, headers: line.rules.headers() });
  const limits = getLimits(url, line.rules);
  const { readMs, totalMs, retries } = limits;
  const bound = { ...line, readMs, deadline: Math.min(line.deadline, clock() + totalMs) };
  let last = await followRedirects(bound, first);
  for (let retry = 0; retry < retries && shouldRetry(last, limits, bound.deadline); retry++) {
    last = await followRedirects(bound, first);
  }
  return last;
}

/** The provider's limits at a URL, whose fragment may set others. */
export function getLimits(url: string, rules: FlavorRules): Limits {
  return rules.limits(new URLSearchParams(new URL(url).hash.slice(1)));
}

function shouldRetry(last: FaxExchange, { retried }: Limits, deadline: number): boolean {
  const failure = classifyFailure(last);
  const isMeant = failure !== undefined && (retried.includes(failure) || retried.includes("all"));
  return isMeant && clock() < deadline;
}

function classifyFailure({ response, error }: FaxExchange): Failure | undefined {
  if (response === undefined) return error?.code === NO_ANSWER ? "rt" : "ct";
  if (response.status < 400) return undefined;
  return response.status < 500 ? "4xx" : "5xx";
}

async function followRedirects(line: ConversationContext, first: UnsignedRequest): Promise<FaxExchange> {
  let next: UnsignedRequest | undefined = first;
  let last: FaxExchange | undefined;
  for (let hops = 0; next !== undefined; hops++) {
    if (hops > line.rules.maxRedirects)
      return recordError(line, last!, 11215, "Redirect less: there were too many redirects.");
    last = await withPassword(line, next);
    next = redirectTarget(last, next);
  }
  return last!;
}

/** 301, 302 and 303 make a GET of a POST, whose parameters move into the query. */
function redirectTarget({ response }: FaxExchange, sent: UnsignedRequest): UnsignedRequest | undefined {
  const location = response?.headers["location"];
  if (location === undefined || !URL.canParse(location, sent.url)) return undefined;
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

/** The password of the URL is sent only when it is asked for. */
async function withPassword(line: ConversationContext, toSend: UnsignedRequest): Promise<FaxExchange> {
  const request = sign(toSend, line.authToken, line.rules);
  const first = await requestOnce(line, request);
  const { username, password } = new URL(toSend.url);
  const asks = /(^|,\s*)basic\b/i.test(first.response?.headers["www-authenticate"] ?? "");
  if (first.response?.status !== 401 || !asks || !username) return first;
  const credentials = new TextEncoder().encode(`${decodeUserinfo(username)}:${decodeUserinfo(password)}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  return requestOnce(line, { ...request, headers: { ...request.headers, authorization } });
}

function decodeUserinfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** One request, with the cookies of the conversation; never rejects. */
export async function requestOnce(line: ConversationContext, request: SentRequest): Promise<FaxExchange> {
  const sent = { ...request, headers: { ...request.headers, ...getCookieHeader(line.cookies, request.url) } };
  const start = clock();
  const made: FaxExchange = { ...(await attempt(line, sent)), ms: Math.round(clock() - start) };
  line.exchanges.push(made);
  keepCookies(line.cookies, request.url, made.response?.cookies ?? []);
  return made;
}

/** Taken when the module is loaded, because a test may put others in their place later. */
const [startTimer, stopTimer] = [globalThis.setTimeout, globalThis.clearTimeout];
export const clock = performance.now.bind(performance);

type Attempt = Omit<FaxExchange, "ms">;

/** Its number for an answer that does not come in time. */
const NO_ANSWER = 11200;

async function attempt(line: ConversationContext, request: SentRequest): Promise<Attempt> {
  const ms = Math.min(line.readMs, line.deadline - clock());
  const message = `Answer sooner: nothing came within ${Math.max(0, Math.round(ms))} ms.`;
  const late: Attempt = { request, error: { code: NO_ANSWER, message } };
  if (ms <= 0) return late;
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<Attempt>((resolve) => {
    timer = startTimer(() => {
      resolve(late);
      controller.abort();
    }, Math.ceil(ms));
  });
  try {
    return await Promise.race([expiry, fetchResponse(line, request, controller.signal, clock() + ms)]);
  } finally {
    stopTimer(timer);
  }
}

async function fetchResponse(
  line: ConversationContext,
  request: SentRequest,
  signal: AbortSignal,
  until: number,
): Promise<Attempt> {
  let isThere = false;
  try {
    const response: unknown = await line.fetch(toPlatformRequest(request, signal));
    checkResponse(response);
    isThere = true;
    const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
    const cookies = response.headers.getSetCookie();
    const { size, ...read } = await readLimitedBody(response, until);
    const received = { status: response.status, headers, cookies, ...read };
    if (size <= MAX_BODY) return { request, response: received };
    const message = "Send at most 64 kB: more came, often it is the page of an error.";
    return { request, response: received, error: { code: 11750, message } };
  } catch (error) {
    if (!line.isHandler) return { request, error: toConnectionError(error, isThere) };
    return {
      request,
      response: { status: 500, headers: {}, cookies: [], body: describeThrown(error).text, isUtf8: true },
    };
  }
}

function checkResponse(value: unknown): asserts value is Response {
  const { status, headers, bodyUsed } = Object(value) as Partial<Response>;
  if (typeof status !== "number" || !headers)
    throw new TypeError(`fetch must give a Response, not ${formatValue(value)}`);
  if (bodyUsed) throw new TypeError("fetch must give a new Response each time: this one was read before");
}

/** https://www.twilio.com/docs/api/errors/11205, 11210 and 11220 */
function toConnectionError(error: unknown, isThere: boolean): { code: number; message: string } {
  const { code, text } = describeThrown(error);
  const details = [code, text].filter(Boolean).join(": ");
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) return { code: 11210, message: `Look at the name of the host (${details}).` };
  if (/CERT|SSL|TLS|UNABLE_TO/.test(code)) return { code: 11220, message: `Look at the certificate (${details}).` };
  if (isThere || /UND_ERR_SOCKET|ECONNRESET|EPIPE/.test(code)) {
    return { code: NO_ANSWER, message: `Look at the server: it broke off (${details}).` };
  }
  return { code: 11205, message: `Look whether the server runs: there was no connection (${details}).` };
}

/** What was thrown, in its innermost cause's words and code; whatever it is, reading it does not throw. */
function describeThrown(thrown: unknown): { code: string; text: string } {
  let found = { code: "", text: "something that is no error" };
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

type Read = Pick<ReceivedResponse, "body" | "isUtf8"> & { readonly size: number };

/** Stops where a provider does: an endless body must not keep a test from its end. */
async function readLimitedBody(response: Response, until: number): Promise<Read> {
  if (response.body === undefined) {
    const body = await response.text();
    return { body, isUtf8: true, size: new TextEncoder().encode(body).length };
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    if (chunk.length > 0) chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY || clock() > until) break;
  }
  const bytes = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true, size };
  } catch {
    return { body: new TextDecoder().decode(bytes), isUtf8: false, size };
  }
}

/** The exchange, with the error that the provider logs; it stands in the transcript in place of the one before. */
export function recordError(line: ConversationContext, made: FaxExchange, code: number, message: string): FaxExchange {
  const withError = { ...made, error: { code, message } };
  const at = line.exchanges.indexOf(made);
  if (at >= 0) line.exchanges[at] = withError;
  return withError;
}
