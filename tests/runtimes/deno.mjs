/** Deno: the suite, CommonJS, `webhook.fetch` in `Deno.serve`, and `webhook.node` in its `node:http`. */
import * as core from "twiml-fax";
import * as testing from "twiml-fax/testing";
import * as webhook from "twiml-fax/webhook";
import { nodeServer, report, required } from "./node.mjs";
import { converse, converseFailing, createFailing, createWebhook, run } from "./suite.mjs";

const modules = { core, webhook, testing };

async function serve({ fetch }, talk) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, fetch);
  return talk(`http://127.0.0.1:${server.addr.port}`).finally(() => server.shutdown());
}

const { groups } = await run(modules);
const served = await serve(createWebhook(modules).hook, converse);
const failing = await serve(createFailing(modules), converseFailing);
report({ ...groups, failing, serve: served, require: await required(), node: await nodeServer(modules) });
