/** Node: ES modules, CommonJS, and `node:http`. Bun and Deno import the last two from here. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { converseNode, createListener, run, summary } from "./suite.mjs";

/** The suite with the CommonJS files. */
export async function required() {
  const require = createRequire(import.meta.url);
  const [core, webhook, testing] = ["twiml-fax", "twiml-fax/webhook", "twiml-fax/testing"].map((name) => require(name));
  const { passed, failed } = await run({ core, webhook, testing });
  return { passed, failed };
}

/** `webhook.node` behind the runtime's `node:http`. */
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

/** Prints the last line of the output, which run.mjs reads. */
export function report(groups) {
  console.log(JSON.stringify(summary(groups)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [core, webhook, testing] = [import("twiml-fax"), import("twiml-fax/webhook"), import("twiml-fax/testing")];
  const modules = { core: await core, webhook: await webhook, testing: await testing };
  const { groups } = await run(modules);
  report({ ...groups, require: await required(), node: await nodeServer(modules) });
}
