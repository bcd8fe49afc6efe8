/** Transcripts as text for a terminal, and as JSON. */
import type { FaxExchange, FaxTranscript } from "../testing/index.js";

const color = (code: number, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
export const green = (text: string): string => color(32, text);
export const red = (text: string): string => color(31, text);
const bold = (text: string): string => color(1, text);

/** The exchanges in order, the outcome, and the location of the pages. */
export function formatTranscript(transcript: FaxTranscript): string {
  const { faxSid, pagesLost, exchanges } = transcript;
  const isForbidden = exchanges.some(({ response }) => response?.status === 403);
  return [
    bold(`Fax ${faxSid}`),
    ...exchanges.flatMap(formatExchange),
    "",
    `${bold("Outcome")}  ${formatOutcome(transcript)}`,
    `${bold("Pages")}    ${pagesLost ? red("lost") : formatPages(transcript)}`,
    ...(isForbidden ? ["", ...FORBIDDEN_HINT] : []),
  ].join("\n");
}

const FORBIDDEN_HINT = [
  "The server responded with 403. Check:",
  "  - the URL above: if the server verifies another one, set publicUrl to the URL above",
  "  - --token: it must be the server's authToken, which is SignalWire's signing key (PSK_…) or Twilio's auth token",
  "  - the server's log, or its onRefused, for the reason",
];

/** The outcome. The message of an error is omitted if an exchange already shows it. */
function formatOutcome({ outcome, error, exchanges }: FaxTranscript): string {
  if (error === undefined) return green(outcome);
  const isShown = exchanges.some((exchange) => exchange.error?.message === error.message);
  return red(`error ${error.code}${isShown ? "" : `: ${replaceControls(error.message)}`}`);
}

/** The location of the pages at the end of the conversation. */
function formatPages({ outcome, verb, exchanges }: FaxTranscript): string {
  if (outcome === "rejected") return "none: the server rejected the fax";
  if (verb?.verb !== "Receive") return "none: the server's response was not usable";
  const callback = exchanges.find(({ request }) => "FaxStatus" in request.params)?.request;
  if (outcome === "failed" || callback?.params["FaxStatus"] === "failed") return "none: the fax failed";
  if (!callback) return "stored by the provider: <Receive> has no action, so the server does not get their URL";
  if (callback.file) return "sent once, in the multipart callback";
  const url = callback.params["MediaUrl"]!;
  return url.startsWith("http://127.0.0.1")
    ? `stored at ${url}`
    : `stored at ${url} (an example; use --pages FILE to serve real pages)`;
}

function formatExchange({ request, response, error, ms }: FaxExchange): string[] {
  const lines = ["", ...formatRequest(request)];
  if (response) {
    const { status, headers, body } = response;
    lines.push(`${bold("Response")} ${status} ${replaceControls(headers["content-type"] ?? "")} after ${ms} ms`);
    if (body) lines.push(replaceControls(`  ${body.slice(0, 2000)}`));
  }
  if (error) lines.push(red(`  ${error.code}: ${replaceControls(error.message)}`));
  return lines;
}

function formatRequest({ method, url, headers, params, file }: FaxExchange["request"]): string[] {
  const interesting = Object.entries(headers).filter(([name]) => isInteresting(name));
  return [
    `${bold(method)} ${replaceControls(url)}`,
    ...interesting.map(([name, value]) => replaceControls(`  ${name}: ${value}`)),
    ...Object.entries(params).map(([name, value]) => replaceControls(`  ${name}=${value}`)),
    ...(file ? [`  Media: ${file.bytes.length} bytes of ${file.type}`] : []),
  ];
}

/** Whether the header differs between requests. */
function isInteresting(name: string): boolean {
  return /^(x-.*-signature|i-twilio-.*|cookie)$/.test(name);
}

/** Replaces control characters, so that a response cannot control the terminal. */
function replaceControls(text: string): string {
  return text.replace(/[^\n\t\x20-\x7e\xa0-\uffff]/g, "\ufffd");
}

/** JSON without the bytes of body and file: the parameters and the file's type show what they contain. */
export function formatTranscriptAsJson(transcript: FaxTranscript): string {
  const json = JSON.stringify(transcript, omitBytes, 2);
  // JSON allows these control characters, but a terminal interprets them.
  return json.replace(/[\x7f-\x9f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

function omitBytes(name: string, value: unknown): unknown {
  if (name === "body" && value instanceof Object) return undefined;
  return name === "file" && value ? { type: (value as { type: string }).type } : value;
}
