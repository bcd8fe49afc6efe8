/** The example files of the README, each in the conversation, directly and behind proxies. */
import { afterAll, beforeAll, describe } from "vitest";
import { conversation, type Site } from "./conversation.js";
import { type ExampleName, EXAMPLES, startExample } from "./examples.js";
import { CERTIFICATE, type Proxy, type ProxyOptions, startProxy } from "./proxy.js";

/** How the request travels: nothing in between, or a proxy that makes the server see another URL. */
const ROUTES: Record<string, ProxyOptions | undefined> = {
  directly: undefined,
  "behind a proxy that ends TLS, rewrites Host and cuts /hooks off": {
    ...{ tls: true, host: "fax-1.internal:8080", prefix: "/hooks" },
  },
};

/** One of each shape that reads a URL: `node`, `handle`, `fetch`, and a URL that is put together again. */
const ROUTED: ExampleName[] = ["Express 4", "Fastify 5", "Hono on Node", "AWS Lambda, REST API"];

const GIVE_TEXT: ExampleName[] = ["AWS Lambda, text bodies", "AWS Lambda, REST API"];

describe.each(Object.keys(EXAMPLES) as ExampleName[])("%s", (name) => {
  const routes = Object.entries(ROUTES).filter(([, route]) => route === undefined || ROUTED.includes(name));
  describe.each(routes)("%s", (_, route) => {
    let site: Site;
    const open: { close(): Promise<void> }[] = [];

    beforeAll(async () => {
      const proxy: Proxy | undefined = route && (await startProxy(route));
      if (proxy) open.push(proxy);
      const base = proxy && proxy.origin + (route?.prefix ?? "");
      const running = await startExample(name, base && `${base}/fax`);
      open.push(running);
      if (proxy) proxy.target = running.origin;
      site = { url: `${base ?? running.origin}/fax`, watch: running.watch };
    }, 30_000);

    afterAll(async () => {
      for (const each of open) await each.close();
    });

    const platform = { givesText: GIVE_TEXT.includes(name), splitsQuery: name === "AWS Lambda, REST API" };
    conversation(() => site, route?.tls ? { ca: CERTIFICATE } : {}, platform);
  });
});
