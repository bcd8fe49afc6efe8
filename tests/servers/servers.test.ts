/** The example files of the README, each in the conversation, directly and behind proxies. */
import { afterAll, beforeAll, describe } from "vitest";
import { conversation, type Site } from "./conversation.js";
import { type ExampleName, EXAMPLES, startExample } from "./examples.js";
import { CERTIFICATE, type Proxy, type ProxyOptions, startProxy } from "./proxy.js";

/** How the request travels: nothing in between, or a proxy that makes the server see another URL. */
const ROUTES: Record<string, ProxyOptions | undefined> = {
  directly: undefined,
  "behind the prefix /hooks": { prefix: "/hooks" },
  "behind a proxy that ends TLS and rewrites Host": { tls: true, host: "fax-1.internal:8080" },
};

describe.each(Object.keys(EXAMPLES) as ExampleName[])("%s", (name) => {
  describe.each(Object.entries(ROUTES))("%s", (_, route) => {
    let site: Site;
    const open: { close(): Promise<void> }[] = [];

    beforeAll(async () => {
      const proxy: Proxy | undefined = route && (await startProxy(route));
      if (proxy) open.push(proxy);
      const base = proxy && proxy.origin + (route?.prefix ?? "");
      const running = await startExample(name, base);
      open.push(running);
      if (proxy) proxy.target = running.origin;
      site = { url: `${base ?? running.origin}/fax`, watch: running.watch };
    }, 30_000);

    afterAll(async () => {
      for (const each of open) await each.close();
    });

    conversation(() => site, route?.tls ? { ca: CERTIFICATE } : {});
  });
});
