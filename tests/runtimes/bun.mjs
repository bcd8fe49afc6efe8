/** Bun: the suite, CommonJS, `webhook.fetch` in `Bun.serve`, and `webhook.node` in its `node:http`. */
import * as core from "twiml-fax";
import * as testing from "twiml-fax/testing";
import * as webhook from "twiml-fax/webhook";
import { nodeServer, report, required } from "./node.mjs";
import { converse, converseFailing, createFailing, createWebhook, limits, run } from "./suite.mjs";

const modules = { core, webhook, testing };
const { groups } = await run(modules);
const { hook } = createWebhook(modules);
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: hook.fetch });
const served = await converse(`http://127.0.0.1:${server.port}`);
await server.stop(true);
const bad = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: createFailing(modules).fetch });
const failing = await converseFailing(`http://127.0.0.1:${bad.port}`);
await bad.stop(true);
report({ ...groups, failing, serve: served, require: await required(), node: await nodeServer(modules) }, [
  ...failing.cannot,
  ...(await limits(modules)),
]);
// A handler of Bun.serve that threw, whosever it is, makes Bun's exit code 1; what failed stands in the report.
process.exit(0);
