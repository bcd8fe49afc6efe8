/** Every example in the conversation, directly and behind a proxy. */
import { afterAll, beforeAll, describe } from "vitest";
import { conversation, type Site } from "./conversation.js";
import { type ExampleName, EXAMPLES, type Running, startExample } from "./examples.js";
import { fetchThroughProxy, PROXY_URL } from "./proxy.js";

/** One example for each way to read the URL: `node`, `handle`, `fetch`, and a rebuilt URL. */
const PROXIED: ExampleName[] = ["Express 4", "Fastify 5", "Hono on Node", "AWS Lambda, REST API"];

const GIVE_TEXT: ExampleName[] = ["AWS Lambda, text bodies", "AWS Lambda, REST API"];

const rows = (Object.keys(EXAMPLES) as ExampleName[]).flatMap((name) =>
  PROXIED.includes(name)
    ? [[name, "directly"] as const, [name, "behind a proxy"] as const]
    : [[name, "directly"] as const],
);

describe.each(rows)("%s, %s", (name, route) => {
  let running: Running;
  let site: Site;

  beforeAll(async () => {
    const isProxied = route === "behind a proxy";
    running = await startExample(name, isProxied ? PROXY_URL : undefined);
    site = isProxied
      ? { url: PROXY_URL, watch: running.watch, send: fetchThroughProxy(running.origin) }
      : { url: `${running.origin}/fax`, watch: running.watch };
  }, 30_000);

  afterAll(() => running.close());

  conversation(() => site, {
    givesText: GIVE_TEXT.includes(name),
    splitsQuery: name === "AWS Lambda, REST API",
    decompresses: name === "Google Cloud Functions",
    sendsOneCookie: name === "AWS Lambda, load balancer",
  });
});
