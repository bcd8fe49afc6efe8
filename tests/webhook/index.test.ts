/** The entry "twiml-fax/webhook" loads in Jest's jsdom environment, which lacks many of Node's globals. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";

const require = createRequire(import.meta.url);
const esbuild = createRequire(require.resolve("tsup"))("esbuild") as {
  buildSync(options: object): { outputFiles: { text: string }[] };
};

const { performance, setTimeout, clearTimeout } = globalThis;

it.each([
  ["twiml-fax", "index.ts", {}],
  ["twiml-fax/webhook", "webhook/index.ts", {}],
  ["twiml-fax/testing", "testing/index.ts", { performance, setTimeout, clearTimeout }],
])("import of %s needs neither TextDecoder nor Response nor other globals that jsdom lacks", (_, entry, globals) => {
  const entryPoints = [join(import.meta.dirname, "../../src", entry)];
  const options = { entryPoints, bundle: true, write: false, format: "cjs", platform: "node", target: "node20" };
  const module = { exports: {} };
  runInNewContext(esbuild.buildSync(options).outputFiles[0]!.text, { require, module, ...globals });
  expect(Object.keys(module.exports)).not.toEqual([]);
});
