/** A reverse proxy in production, as the server sees it: without TLS, with another Host and a shorter path. */
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { buffer } from "node:stream/consumers";

/** The URL that the provider knows; the server behind the proxy sees `/fax` at `fax-1.internal:8080`. */
export const PROXY_URL = "https://fax.example.com/hooks/fax";

/** A `fetch` that passes requests for PROXY_URL on to the server. */
export function fetchThroughProxy(origin: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const { method, url, headers } = request;
    const forwarded = {
      host: "fax-1.internal:8080",
      "x-forwarded-proto": "https",
      "x-forwarded-host": new URL(url).host,
    };
    const sent = Buffer.from(await request.arrayBuffer());
    const onward = httpRequest(url.replace(/^https:\/\/[^/]+\/hooks/, origin), {
      method,
      headers: {
        ...Object.fromEntries(headers),
        ...forwarded,
        ...(sent.length > 0 && { "content-length": sent.length }),
      },
      agent: false,
    });
    onward.end(sent);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    const received = new Headers();
    for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
      for (const value of values) received.append(name, value);
    }
    const body = await buffer(answer);
    return new Response(body.length > 0 ? body : null, { status: answer.statusCode!, headers: received });
  };
}
