/** One request and what comes back, as a provider makes it: redirects, retries, passwords and time limits. */
import { quote } from "../message.js";
import { type Cookie, cookiesFor, keepCookies } from "./cookies.js";
import type { Failure, FlavorRules, Limits } from "./flavor.js";
import { platformRequest, type SentRequest, signed, type ToSend, withBody } from "./request.js";

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
export interface Line {
  readonly authToken: string;
  readonly rules: FlavorRules;
  readonly fetch: (request: Request) => unknown;
  /** Whether `fetch` is a handler in this process: what it throws is a server's 500, and no lost connection. */
  readonly isHandler: boolean;
  /** When everything has to be over, by `performance.now()`. */
  readonly deadline: number;
  readonly readMs: number;
  readonly cookies: Cookie[];
  readonly exchanges: FaxExchange[];
}

/** The last exchange of a request: after its redirects, its retries, and the password that was asked for. */
export async function exchange(line: Line, { url, ...rest }: Omit<ToSend, "headers">): Promise<FaxExchange> {
  const first = await withBody({ ...rest, url, headers: line.rules.headers() });
  const limits = limitsOf(url, line.rules);
  const { readMs, totalMs, retries } = limits;
  const bound = { ...line, readMs, deadline: Math.min(line.deadline, performance.now() + totalMs) };
  let last = await followRedirects(bound, first);
  for (let retry = 0; retry < retries && isRepeated(last, limits, bound.deadline); retry++) {
    last = await followRedirects(bound, first);
  }
  return last;
}

/** The provider's limits at a URL, whose fragment may set others. */
export function limitsOf(url: string, rules: FlavorRules): Limits {
  return rules.limits(new URLSearchParams(new URL(url).hash.slice(1)));
}

function isRepeated(last: FaxExchange, { retried }: Limits, deadline: number): boolean {
  const failure = failureOf(last);
  const isMeant = failure !== undefined && (retried.includes(failure) || retried.includes("all"));
  // Timers end up to a millisecond early.
  return isMeant && performance.now() + 1 < deadline;
}

function failureOf({ response, error }: FaxExchange): Failure | undefined {
  if (response === undefined) return error?.code === NO_ANSWER ? "rt" : "ct";
  if (response.status < 400) return undefined;
  return response.status < 500 ? "4xx" : "5xx";
}

async function followRedirects(line: Line, first: ToSend): Promise<FaxExchange> {
  let next: ToSend | undefined = first;
  let last: FaxExchange | undefined;
  for (let hops = 0; next !== undefined; hops++) {
    if (hops > line.rules.maxRedirects)
      return failed(line, last!, 11215, "Redirect less: there were too many redirects.");
    last = await withPassword(line, next);
    next = targetOf(last, next);
  }
  return last!;
}

/** 301, 302 and 303 make a GET of a POST, whose parameters move into the query. */
function targetOf({ response }: FaxExchange, sent: ToSend): ToSend | undefined {
  const location = response?.headers["location"];
  if (location === undefined || !URL.canParse(location, sent.url)) return undefined;
  if (![301, 302, 303, 307, 308].includes(response!.status)) return undefined;
  const { href: url, protocol } = new URL(location, sent.url);
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  // The query of a GET is the target's own: its parameters stand there already.
  if (sent.method === "GET") return { ...sent, url, params: {} };
  if (response!.status >= 307) return { ...sent, url };
  const { "content-type": _form, ...headers } = sent.headers;
  return { method: "GET", url, params: sent.params, headers };
}

/** The password of the URL is sent only when it is asked for. */
async function withPassword(line: Line, toSend: ToSend): Promise<FaxExchange> {
  const request = signed(toSend, line.authToken, line.rules);
  const first = await once(line, request);
  const { username, password } = new URL(toSend.url);
  const asks = /^basic\b/i.test(first.response?.headers["www-authenticate"] ?? "");
  if (first.response?.status !== 401 || !asks || !username || !isDecodable(username + password)) return first;
  const authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  return once(line, { ...request, headers: { ...request.headers, authorization } });
}

/** Whether `btoa` can carry it, once it is decoded. */
function isDecodable(text: string): boolean {
  return /^(?:[^%]|%[0-7][\da-f])*$/i.test(text);
}

/** One request, with the cookies of the conversation; never rejects. */
export async function once(line: Line, request: SentRequest): Promise<FaxExchange> {
  const sent = { ...request, headers: { ...request.headers, ...cookiesFor(line.cookies, request.url) } };
  const start = performance.now();
  const made: FaxExchange = { ...(await attempt(line, sent)), ms: Math.round(performance.now() - start) };
  line.exchanges.push(made);
  keepCookies(line.cookies, request.url, made.response?.cookies ?? []);
  return made;
}

type Attempt = Omit<FaxExchange, "ms">;

/** Its number for an answer that does not come in time. */
const NO_ANSWER = 11200;

async function attempt(line: Line, request: SentRequest): Promise<Attempt> {
  const controller = new AbortController();
  const ms = Math.max(0, Math.min(line.readMs, line.deadline - performance.now()));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Attempt>((resolve) => {
    const message = `Answer sooner: nothing came within ${Math.round(ms)} ms.`;
    timer = setTimeout(() => resolve({ request, error: { code: NO_ANSWER, message } }), ms);
  });
  try {
    return await Promise.race([late, answerOf(line, request, controller.signal)]);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function answerOf(line: Line, request: SentRequest, signal: AbortSignal): Promise<Attempt> {
  try {
    const response = await line.fetch(platformRequest(request, signal));
    if (!isResponse(response)) throw new TypeError(`fetch must give a Response, not ${quote(response)}`);
    const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
    const cookies = response.headers.getSetCookie();
    const { size, ...read } = await readBody(response, line.deadline);
    const received = { status: response.status, headers, cookies, ...read };
    if (size <= MAX_BODY) return { request, response: received };
    const message = "Send at most 64 kB: more came, often it is the page of an error.";
    return { request, response: received, error: { code: 11750, message } };
  } catch (error) {
    const thrown = error instanceof Error ? error.message.slice(0, 200) : quote(error);
    if (!line.isHandler) return { request, error: connectionError(error, thrown) };
    return { request, response: { status: 500, headers: {}, cookies: [], body: thrown, isUtf8: true } };
  }
}

function isResponse(value: unknown): value is Response {
  return value instanceof Object && "headers" in value && typeof (value as { status?: unknown }).status === "number";
}

/** https://www.twilio.com/docs/api/errors/11205, 11210 and 11220. What failed is in the causes of a `fetch`'s error. */
function connectionError(error: unknown, thrown: string): { code: number; message: string } {
  let why = "";
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    why = String((cause as { code?: unknown }).code ?? why);
  }
  const details = [why, thrown].filter(Boolean).join(": ");
  if (/ENOTFOUND|EAI_AGAIN/.test(why)) return { code: 11210, message: `Look at the name of the host (${details}).` };
  if (/CERT|SSL|TLS|UNABLE_TO/.test(why)) return { code: 11220, message: `Look at the certificate (${details}).` };
  return { code: 11205, message: `Look whether the server runs: there was no connection (${details}).` };
}

/** https://www.twilio.com/docs/api/errors/11750 */
const MAX_BODY = 64 * 1024;

/** Stops where a provider does: an endless body must not keep a test from its end. */
async function readBody(
  response: Response,
  deadline: number,
): Promise<Pick<ReceivedResponse, "body" | "isUtf8"> & { size: number }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY || performance.now() > deadline) break;
  }
  const bytes = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true, size };
  } catch {
    return { body: new TextDecoder().decode(bytes), isUtf8: false, size };
  }
}

/** The exchange, with the error that the provider logs; it stands in the transcript in place of the one before. */
export function failed(line: Line, made: FaxExchange, code: number, message: string): FaxExchange {
  const withError = { ...made, error: { code, message } };
  const at = line.exchanges.indexOf(made);
  if (at >= 0) line.exchanges[at] = withError;
  return withError;
}
