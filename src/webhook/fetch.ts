/** The web standard's server: a `Request` in, a `Response` out (Hono, Next.js, Bun, Deno, Workers). */
import type { HandleRequest, WebhookReply } from "./http.js";

/** The parts of a `Request` that are read; by structure, so that the declarations need neither DOM nor Node types. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
  readonly body?: unknown;
  readonly bodyUsed?: boolean;
}

/** The `Response` of the platform's types; where there are none, what every runtime's has. */
export type FetchResponse = typeof globalThis extends { Response: { prototype: infer Type } }
  ? Type
  : { readonly status: number; text(): Promise<string> };

export function createFetch(handle: (request: HandleRequest) => Promise<WebhookReply>) {
  return async (request: FetchRequest): Promise<FetchResponse> => {
    const { method, url, headers, bodyUsed } = request;
    const reply = await handle({ method, url, headers, body: bodyUsed ? undefined : request.body });
    const pairs = Object.entries(reply.headers).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, each]),
    );
    // The Fetch standard allows a 304 no body, not even an empty one.
    return new Response(reply.body || null, { status: reply.status, headers: pairs });
  };
}
