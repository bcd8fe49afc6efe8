/** The servers of the tests of fetchMedia, on 127.0.0.1, and two ways to fetch from them. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { type FaxCallback, parseFaxCallback } from "../../src/index.js";
import type { FaxMediaError, FaxMediaErrorCode } from "../../src/shared/errors.js";
import type { MediaFetchInit } from "../../src/webhook/download.js";
import { type FaxMediaOptions, type FaxPages, fetchMedia } from "../../src/webhook/media.js";
import { close, portOf } from "../servers/listen.js";
import { CALLBACK } from "./support.js";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../servers/fixtures", name));
const cert = fixture("throwaway-cert.pem");
export const PDF = Buffer.from("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n…the pages…\n%%EOF\n", "latin1");
export const MEDIA_URL = "https://files.signalwire.com/p/1.pdf?X-Signature=secret#page";

interface ReceivedRequest {
  readonly host: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
}

/** Both servers respond with `respond`, which every test may replace, and add to `requests`. */
export const servers = {
  respond: (_req: http.IncomingMessage, res: http.ServerResponse): unknown => res.end(PDF),
  requests: [] as ReceivedRequest[],
  ports: {} as Record<string, number>,
};

const listener: http.RequestListener = (req, res) => {
  const closed = new Promise((resolve) => req.socket.once("close", resolve));
  // One connection per request, so that no test gets the connection of another.
  res.shouldKeepAlive = false;
  servers.requests.push({ host: req.headers.host!, path: req.url!, headers: req.headers, closed });
  servers.respond(req, res);
};

export function useServers(): void {
  const plain = http.createServer(listener);
  const tls = https.createServer({ cert, key: fixture("throwaway-key.pem") }, listener);
  beforeAll(async () => {
    servers.ports["http:"] = await portOf(plain.listen(0, "127.0.0.1"));
    servers.ports["https:"] = await portOf(tls.listen(0, "127.0.0.1"));
  });
  afterAll(async () => {
    await close(plain);
    await close(tls);
  });
  beforeEach(() => {
    servers.requests = [];
    servers.respond = (_, res) => res.end(PDF);
  });
}

/** A fetch for which every host is at 127.0.0.1. */
export async function localFetch(href: string, { method, headers, signal }: MediaFetchInit): Promise<Response> {
  const { protocol, hostname, host, pathname, search } = new URL(href);
  const request = (protocol === "https:" ? https : http).request({
    host: "127.0.0.1",
    port: servers.ports[protocol]!,
    path: pathname + search,
    method,
    headers: { ...headers, host },
    signal,
    agent: false,
    ca: cert,
    servername: /[a-z]/.test(hostname) ? hostname : "",
    checkServerIdentity: () => undefined,
  });
  const [message] = (await once(request.end(), "response")) as [http.IncomingMessage];
  const pairs = Object.entries(message.headers as Record<string, string>);
  return new Response(Readable.toWeb(message) as ReadableStream, { status: message.statusCode!, headers: pairs });
}

export const faxAt = (mediaUrl: string): FaxCallback => parseFaxCallback({ ...CALLBACK, MediaUrl: mediaUrl });

export type Get = (options?: FaxMediaOptions) => Promise<FaxPages>;
/** Gets the pages at `MEDIA_URL` over TLS, with one try. */
export const get: Get = (options) => fetchMedia(faxAt(MEDIA_URL), { fetch: localFetch, retries: 0, ...options });
/** Gets the pages with the platform's own fetch, with one try. */
export const getByPlatform: Get = (options) => {
  const host = `127.0.0.1:${servers.ports["http:"]}`;
  return fetchMedia(faxAt(`http://${host}/1.pdf`), { hosts: [host], retries: 0, ...options });
};
export const BOTH: [string, Get][] = [
  ["TLS", get],
  ["the platform's fetch", getByPlatform],
];

/** The FaxMediaError with which a promise rejects. Checks its code, and that it shows only the host of a URL. */
export async function rejection(promise: Promise<unknown>, code: FaxMediaErrorCode, text = ""): Promise<FaxMediaError> {
  const error: unknown = await promise.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "FaxMediaError", code, message: expect.stringContaining(text) });
  expect((error as Error).message).not.toMatch(/secret|\?|#|[\w\]]\/./);
  return error as FaxMediaError;
}

export const readAll = async (media: { arrayBuffer(): Promise<ArrayBuffer> }) => Buffer.from(await media.arrayBuffer());

/** A promise and the function that resolves it. */
export function defer() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}
