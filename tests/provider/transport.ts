// Sends one HTTP request and reads one answer: no redirect, cookie, cache or encoding of its own.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";

/** What the providers accept at most: 64 kB (error 11750). */
export const MAX_DOCUMENT_BYTES = 65_536;

export interface TransportRequest {
  method: string;
  /** Without fragment and credentials: as it goes on the wire. */
  url: string;
  headers: Headers;
  body?: Uint8Array<ArrayBuffer>;
  timeoutMs: number;
}

export interface TransportResponse {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
  /** True when the body went past the limit; `bytes` then holds its beginning. */
  tooLarge: boolean;
}

export type Transport = (request: TransportRequest) => Promise<TransportResponse>;

export function nodeTransport(ca?: string | Uint8Array): Transport {
  return async ({ method, url, headers, body, timeoutMs }) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const fields = new Headers(headers);
    if (body) fields.set("content-length", String(body.byteLength));
    // One connection per request: no idle socket that a stopping server would wait for.
    const options = {
      method,
      headers: Object.fromEntries(fields),
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      ...(ca === undefined ? {} : { ca: ca instanceof Uint8Array ? Buffer.from(ca) : ca }),
    };
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      send(url, options, resolve).on("error", reject).end(body);
    });
    const answered = new Headers();
    for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
      answered.append(message.rawHeaders[i] ?? "", message.rawHeaders[i + 1] ?? "");
    }
    return { status: message.statusCode ?? 0, headers: answered, ...(await readLimited(message)) };
  };
}

export function fetchTransport(fetch: typeof globalThis.fetch): Transport {
  return async ({ method, url, headers, body, timeoutMs }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: "manual", signal });
    return { status: response.status, headers: response.headers, ...(await readLimited(response.body ?? [])) };
  };
}

async function readLimited(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ bytes: Uint8Array; tooLarge: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > MAX_DOCUMENT_BYTES) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, MAX_DOCUMENT_BYTES), tooLarge: size > MAX_DOCUMENT_BYTES };
}
