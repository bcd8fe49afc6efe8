/** Node: ES modules, CommonJS, and `node:http`. Bun and Deno take the same two checks from here. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { converseNode, createListener, limits, run, summary } from "./suite.mjs";

/** What `require()` of the CommonJS files does. */
export async function required() {
  const require = createRequire(import.meta.url);
  const { passed, failed } = await run(await modulesBy(require));
  return { passed, failed };
}

async function modulesBy(load) {
  const [core, webhook, testing] = ["twiml-fax", "twiml-fax/webhook", "twiml-fax/testing"].map(load);
  return { core: await core, webhook: await webhook, testing: await testing };
}

/** What `webhook.node` does behind the runtime's `node:http`. */
export async function nodeServer(modules) {
  const server = createServer(createListener(modules));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await converseNode(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The last line of the output, which run.mjs reads. */
export function report(groups, cannot) {
  console.log(JSON.stringify({ ...summary(groups), cannot }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const modules = await modulesBy((name) => import(name));
  const { groups } = await run(modules);
  report({ ...groups, require: await required(), node: await nodeServer(modules) }, await limits(modules));
}
