/** Deno: the suite, CommonJS, `webhook.fetch` in `Deno.serve`, and `webhook.node` in its `node:http`. */
import * as core from "twiml-fax";
import * as testing from "twiml-fax/testing";
import * as webhook from "twiml-fax/webhook";
import { nodeServer, report, required } from "./node.mjs";
import { converse, converseFailing, createFailing, createWebhook, limits, run } from "./suite.mjs";

const modules = { core, webhook, testing };
const { groups } = await run(modules);
const { hook } = createWebhook(modules);
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, hook.fetch);
const served = await converse(`http://127.0.0.1:${server.addr.port}`);
await server.shutdown();
const bad = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, createFailing(modules).fetch);
const failing = await converseFailing(`http://127.0.0.1:${bad.addr.port}`);
await bad.shutdown();
report({ ...groups, failing, serve: served, require: await required(), node: await nodeServer(modules) }, [
  ...failing.cannot,
  ...(await limits(modules)),
]);
