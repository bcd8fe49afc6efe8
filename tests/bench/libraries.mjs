/**
 * What is compared: this build, another one that is asked for, and the peers. The peers are no part of `npm ci`: the
 * first run installs the exact versions of the package.json beside this file.
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
/** This checkout, or the one of BENCH_AFTER, which lets today's benchmark measure yesterday's code. */
export const after = await load(process.env.BENCH_AFTER || here);
/** A second build that stands in the same run, if BENCH_BEFORE names its checkout: two runs would not compare. */
export const before = process.env.BENCH_BEFORE ? await load(process.env.BENCH_BEFORE) : undefined;

/** A candidate of each build; `make` makes it of a library, so that both run the same code around the library. */
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
