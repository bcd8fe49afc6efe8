/**
 * Writes tests/peers/recorded.json: run `npm run bench:record` after a change of tests/peers/inputs.mjs or of a helper
 * library's version in the package.json in this folder. The tests then do not need the helper libraries. It also
 * compares this build with them for more random attributes than the file could contain.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as inputs from "../peers/inputs.mjs";
import { bareSignature } from "./by-hand.mjs";
import { after, signalwire, twilio } from "./libraries.mjs";
import { manifest, packageFolder } from "./measure.mjs";

const LIVE_RUNS = 50_000;
const PEERS = {
  twilio: { FaxResponse: twilio.twiml.FaxResponse, validate: twilio.validateRequest },
  "@signalwire/compatibility-api": { FaxResponse: signalwire.LaML.FaxResponse, validate: signalwire.validateRequest },
};
const TWILIO = PEERS.twilio.FaxResponse;

/** The text of a response that `build` filled, or the message of the error. */
function write(FaxResponse, build) {
  const response = new FaxResponse();
  try {
    build(response);
    return { text: response.toString() };
  } catch (error) {
    return { error: error.message };
  }
}

function textOf(FaxResponse, build) {
  const { text, error } = write(FaxResponse, build);
  assert(text !== undefined, error);
  return text;
}

const received = (FaxResponse, attributes) => textOf(FaxResponse, (response) => response.receive(attributes));

/** The recorded documents that exist for both. */
function common({ FaxResponse }) {
  return {
    empty: textOf(FaxResponse, () => {}),
    attributes: inputs.ATTRIBUTES.map((attributes) => received(FaxResponse, attributes)),
    url: received(FaxResponse, { action: inputs.ACTION_URL.href }),
    unchecked: received(FaxResponse, { ...inputs.ACTION, ...inputs.UNCHECKED }),
    wrong: inputs.WRONG.map(([, attributes]) => write(FaxResponse, (response) => response.receive(attributes))),
  };
}

function commented([before, after]) {
  return textOf(TWILIO, (response) => {
    for (const text of before) response.comment(text);
    response.receive(inputs.ACTION);
    for (const text of after) response.comment(text);
  });
}

const ofTwilio = {
  reject: textOf(TWILIO, (response) => response.addChild("Reject")),
  comments: inputs.COMMENTS.map(commented),
  commentAlone: textOf(TWILIO, (response) => response.comment(inputs.COMMENT_ALONE)),
  commentRefused: write(TWILIO, (response) => response.comment(inputs.COMMENT_REFUSED)),
};
const ofSignalWire = { reject: textOf(signalwire.LaML.FaxResponse, (response) => response.reject()) };

/** The document that both write identically, so that it is recorded once. */
function writeByBoth(attributes) {
  const [one, other] = Object.values(PEERS).map(({ FaxResponse }) => received(FaxResponse, attributes));
  assert.equal(one, other);
  return one;
}

/** A signature that a library's validator accepts, and does not accept for a changed parameter. */
function signature(validate, params) {
  const { authToken, url } = inputs.SIGNED;
  const text = bareSignature(authToken, url, params);
  assert(validate(authToken, text, url, params), "the helper library must accept it");
  assert(!validate(authToken, text, url, { ...params, From: "other" }), "the helper library must reject it");
  return text;
}

function signatures(forms, validate) {
  return Object.fromEntries(Object.entries(forms).map(([name, params]) => [name, signature(validate, params)]));
}

for (const params of Object.values(inputs.SIGNED.twilio)) {
  const { authToken, url } = inputs.SIGNED;
  assert.equal(twilio.getExpectedTwilioSignature(authToken, url, params), bareSignature(authToken, url, params));
}

const [byTwilio, bySignalWire] = Object.values(PEERS);
const recorded = {
  versions: Object.fromEntries(Object.keys(PEERS).map((name) => [name, manifest(packageFolder(name)).version])),
  inputs: inputs.inputsDigest(),
  peers: {
    twilio: { ...common(byTwilio), ...ofTwilio },
    "@signalwire/compatibility-api": { ...common(bySignalWire), ...ofSignalWire },
  },
  random: inputs.RANDOM_ATTRIBUTES.map(writeByBoth),
  signatures: {
    twilio: signatures(inputs.SIGNED.twilio, byTwilio.validate),
    signalwire: signatures(inputs.SIGNED.signalwire, bySignalWire.validate),
  },
};

const seed = Date.now() % 2 ** 31;
let runs = 0;
for (const attributes of inputs.randomAttributes(seed)) {
  assert.equal(after.toTwiml(after.receive(attributes)), writeByBoth(attributes), `seed ${seed}, run ${runs}`);
  if (++runs === LIVE_RUNS) break;
}

// Only ASCII, so that no editor changes the bytes.
const json = JSON.stringify(recorded).replace(
  /[^\x20-\x7e]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
);
const file = fileURLToPath(new URL("../peers/recorded.json", import.meta.url));
writeFileSync(file, json);
await import("../format/run.mjs");
console.log(`Wrote ${file}. This build writes the same bytes for ${runs} more random attributes (seed ${seed}).`);
