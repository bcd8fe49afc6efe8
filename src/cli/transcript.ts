/** Transcripts as text for a terminal, and as JSON. */
import { getStatus } from "../testing/callback.js";
import { readResponseText } from "../testing/conversation.js";
import type { FaxExchange, FaxTranscript, ReceivedResponse } from "../testing/index.js";
import type { Download } from "./pages-server.js";

const color = (code: number, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
export const green = (text: string): string => color(32, text);
export const red = (text: string): string => color(31, text);
const bold = (text: string): string => color(1, text);

/** What the command knows about the pages that it serves. */
export interface ServedPages {
  readonly mediaUrl: string;
  readonly downloads: readonly Download[];
}

/** One line for each request, response and error, in the order of time. */
export function formatTimeline(exchanges: readonly FaxExchange[], served?: ServedPages): string {
  const width = Math.max(...exchanges.map(({ request }) => formatTarget(request).length));
  const waiting = [...(served?.downloads ?? [])];
  const lines: string[] = [];
  for (const [i, exchange] of exchanges.entries()) {
    const { request, startMs, ms } = exchange;
    const note = describeRequest(request) + (isRetry(request, exchanges[i - 1]?.request) ? ", again" : "");
    lines.push(formatLine(startMs, "→", `${formatTarget(request).padEnd(width)}  ${note}`));
    while (waiting.length > 0 && waiting[0]!.startMs <= startMs + ms) {
      lines.push(formatDownload(waiting.shift()!, served!.mediaUrl, width));
    }
    lines.push(...formatResult(exchange));
  }
  return [...lines, ...waiting.map((download) => formatDownload(download, served!.mediaUrl, width))].join("\n");
}

/** A line of the timeline, which text of the server cannot break. */
function formatLine(ms: number, marker: string, text: string): string {
  return `${(ms / 1000).toFixed(2).padStart(6)} s  ${marker} ${escapeControls(text)}`;
}

/** Method and URL. The provider's parameters in the URL of a GET are in the note. */
function formatTarget({ method, url }: FaxExchange["request"]): string {
  return `${method} ${url.replace(/([?&]FaxSid=).*/, "$1…")}`;
}

/** A download as a line of the timeline. */
export function formatDownload({ startMs }: Download, mediaUrl: string, width = 0): string {
  return formatLine(startMs, "←", `${`GET ${mediaUrl}`.padEnd(width)}  the server fetches the pages`);
}

function describeRequest({ params, file }: FaxExchange["request"]): string {
  const { FaxSid, From, To, NumPages, ErrorCode, ErrorMessage, ErrorUrl } = params;
  const fallback = ErrorUrl === undefined ? "" : ", at the fallback URL";
  const status = getStatus(params);
  if (status === undefined) return `new fax ${FaxSid} from ${From || "a withheld number"} to ${To}${fallback}`;
  const pages = NumPages === undefined ? "" : `, ${NumPages} ${NumPages === "1" ? "page" : "pages"}`;
  const size = file ? ` in this request (${file.bytes.length} bytes of ${file.type})` : "";
  const error = ErrorMessage === undefined ? "" : `, ${ErrorCode} ${ErrorMessage}`;
  return `callback: ${status}${pages}${size}${error}${fallback}`;
}

/** Whether the request is the same as the previous one, apart from headers. */
function isRetry({ url, method, params }: FaxExchange["request"], previous?: FaxExchange["request"]): boolean {
  if (url !== previous?.url || method !== previous.method) return false;
  return getStatus(params) === getStatus(previous.params);
}

/** The response and the error of an exchange. The message for an error status contains the reason in the body. */
function formatResult({ startMs, ms, response, error }: FaxExchange): string[] {
  const lines: string[] = [];
  const summary = response && (error && response.status >= 400 ? "" : ` ${summarize(response)}`);
  if (response) lines.push(formatLine(startMs + ms, "←", `${response.status}${summary}`));
  if (error) lines.push(red(formatLine(startMs + ms, "!", `error ${error.code}: ${error.message}`)));
  return lines;
}

/** A verb without the elements around it, the target of a redirect, or the beginning of the text. */
function summarize(response: ReceivedResponse): string {
  const { location } = response.headers;
  if (response.status >= 300 && response.status < 400 && location !== undefined) return `to ${location}`;
  const text = readResponseText(response).replace(/\s+/g, " ").trim();
  const twiml = text.replace(/^<\?xml [^>]*\?> ?/, "");
  const summary = /^<Response>(.+)<\/Response>$/.exec(twiml)?.[1] ?? twiml;
  if (summary === "") return "without a body";
  return summary.length > 300 ? `${summary.slice(0, 300)}…` : summary;
}

/** The outcome, the location of the pages, and what to check after a 403. */
export function formatOutcome(transcript: FaxTranscript, served?: ServedPages): string {
  const { pagesLost, exchanges } = transcript;
  const forbidden = exchanges.find(({ response }) => response?.status === 403)?.response;
  const hint = forbidden?.body.trim() === "forbidden" ? OUR_403 : OTHER_403;
  return [
    "",
    `${bold("Outcome")}  ${formatResultOfFax(transcript)}`,
    `${bold("Pages")}    ${pagesLost ? red("lost") : escapeControls(formatPages(transcript, served))}`,
    ...(forbidden ? ["", ...hint] : []),
  ].join("\n");
}

const OUR_403 = [
  "The server responded with 403. Check:",
  "  - the URL above: if the server verifies another one, set publicUrl to the URL above",
  "  - --token: it must be the server's authToken, which is SignalWire's signing key (PSK_…) or Twilio's auth token",
  "  - the server's log, or its onRefused, for the reason",
];

const OTHER_403 = [
  'This 403 is not from faxWebhook, whose body is "forbidden". Something else refused the request first. Check:',
  "  - the framework's CSRF protection, which refuses form posts without an Origin header:",
  '    SvelteKit: csrf: { trustedOrigins: ["*"] }; Astro: security: { checkOrigin: false };',
  "    Hono: mount the webhook before csrf()",
  "  - a login, firewall or proxy in front of the server",
];

/** The outcome. The message of an error is omitted if the timeline already shows it. */
function formatResultOfFax({ outcome, error, exchanges }: FaxTranscript): string {
  if (error === undefined) return green(outcome);
  const isShown = exchanges.some((exchange) => exchange.error?.message === error.message);
  return red(`error ${error.code}${isShown ? "" : `: ${escapeControls(error.message)}`}`);
}

/** The location of the pages at the end of the conversation. */
function formatPages({ outcome, verb, exchanges }: FaxTranscript, served?: ServedPages): string {
  if (outcome === "rejected") return "none: the server rejected the fax";
  if (verb?.verb !== "Receive") return "none: the server sent no usable response";
  const callback = exchanges.find(({ request }) => getStatus(request.params) !== undefined)?.request;
  if (!callback && outcome === "received") {
    return "stored by the provider: <Receive> has no action, so the server does not get their URL";
  }
  if (callback?.file) return "sent once, in the multipart callback";
  const mediaUrl = callback?.params["MediaUrl"];
  if (mediaUrl === undefined) return "none: the fax failed";
  return mediaUrl === served?.mediaUrl ? formatServedPages(outcome, served) : `stored at ${mediaUrl}`;
}

function formatServedPages(outcome: string, { mediaUrl, downloads }: ServedPages): string {
  if (downloads.some(({ isComplete }) => isComplete)) return `fetched from ${mediaUrl}`;
  const time = outcome === "received" ? " within 10 s" : "";
  const hint = `To save them, call fetchMedia with hosts: ["${new URL(mediaUrl).host}"].`;
  return `not fetched from ${mediaUrl}${time}. ${hint}`;
}

/** Escapes control characters, line breaks and characters that change the direction of text, as JSON does. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** JSON without the bytes of body and file: the parameters and the file's type show what they contain. */
export function formatAsJson(transcript: FaxTranscript, served?: ServedPages): string {
  const pagesFetched = served && served.downloads.some(({ isComplete }) => isComplete);
  const json = JSON.stringify({ ...transcript, pagesFetched }, omitBytes, 2);
  return json.split("\n").map(escapeControls).join("\n");
}

function omitBytes(name: string, value: unknown): unknown {
  if (name === "body" && value instanceof Object) return undefined;
  return name === "file" && value ? { type: (value as { type: string }).type } : value;
}
