/** Bun: the suite, CommonJS, `webhook.fetch` in `Bun.serve`, and `webhook.node` in its `node:http`. */
import * as core from "twiml-fax";
import * as testing from "twiml-fax/testing";
import * as webhook from "twiml-fax/webhook";
import { nodeServer, report, required } from "./node.mjs";
import { converse, converseFailing, createFailing, createWebhook, run } from "./suite.mjs";

const modules = { core, webhook, testing };

async function serve({ fetch }, talk) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  return talk(`http://127.0.0.1:${server.port}`).finally(() => server.stop(true));
}

const { groups } = await run(modules);
const served = await serve(createWebhook(modules).hook, converse);
const failing = await serve(createFailing(modules), converseFailing);
report({ ...groups, failing, serve: served, require: await required(), node: await nodeServer(modules) });
// Bun's exit code is 1 once a handler of Bun.serve has thrown. The report says which checks failed.
process.exit(0);
