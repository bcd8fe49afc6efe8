/** With the types of Node or the DOM: the handlers are assignable to the handlers of servers. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createServer2 } from "node:http2";
import { parseFaxCallback, receive } from "twiml-fax";
import { createFaxProvider } from "twiml-fax/testing";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({ authToken: "t", onFax: () => receive({ action: new URL("https://example.com/") }) });
createFaxProvider({ url: "https://fax.example.com/", authToken: "t", fetch: webhook.fetch });
createServer(webhook.node);
createServer2((req, res) => void webhook.node(req, res));
export const middleware: (
  req: IncomingMessage & { body?: unknown },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void = webhook.node;
export const POST: (request: Request) => Promise<Response> = webhook.fetch;
export const parsed = [new URLSearchParams(), new FormData(), new Map([["a", "b"]])].map(
  (source) => parseFaxCallback(source).media,
);
