/**
 * The compared libraries: this build, the builds of BENCH_BEFORE and BENCH_AFTER, and the peers. `npm ci` does not
 * install the peers: the first run installs the exact versions from the package.json in this folder.
 */
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installPinned } from "../pinned.mjs";
import { pack } from "./measure.mjs";

installPinned(fileURLToPath(new URL(".", import.meta.url)));
const require = createRequire(import.meta.url);
export const twilio = require("twilio");
export const { RestClient: signalwire } = require("@signalwire/compatibility-api");
export const { create: createXml } = require("xmlbuilder2");
export const { XMLBuilder } = require("fast-xml-parser");
export const fastQuerystring = require("fast-querystring");
export const qs = require("qs");
export const PEERS = ["twilio", "@signalwire/compatibility-api", "xmlbuilder2", "fast-xml-parser", "qs"];

const here = fileURLToPath(new URL("../..", import.meta.url));
/** This checkout, or the one of BENCH_AFTER, to measure older code with this benchmark. */
export const after = await load(process.env.BENCH_AFTER || here);
/** A second build in the same run, if BENCH_BEFORE is set: the results of two runs are not comparable. */
export const before = process.env.BENCH_BEFORE ? await load(process.env.BENCH_BEFORE) : undefined;

/** A candidate for each build; `make` creates it from a library, so that both run the same code around it. */
export function ofBuilds(make, name = "twiml-fax") {
  const earlier = name === "twiml-fax" ? "before" : `${name} before`;
  return { [name]: make(after), ...(before && { [earlier]: make(before) }) };
}

export const peerFile = (name) => require.resolve(name);

async function load(checkout) {
  const folder = pack(resolve(checkout));
  process.on("exit", () => rmSync(dirname(folder), { recursive: true, force: true }));
  const core = await import(pathToFileURL(join(folder, "dist/index.js")).href);
  const webhook = await import(pathToFileURL(join(folder, "dist/webhook/index.js")).href);
  return { ...core, ...webhook, folder };
}
