/**
 * Writes tests/peers/recorded.json anew: `npm run bench:record`, whenever tests/peers/inputs.mjs or a helper library's
 * version in the package.json beside this file has changed. The tests then need none of the helper libraries. It also
 * holds many more random attributes against this build, which a file of moderate size could not keep.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
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

/** The text of a response that `build` has filled, or what was thrown. */
function written(FaxResponse, build) {
  const response = new FaxResponse();
  try {
    build(response);
    return { text: response.toString() };
  } catch (error) {
    return { error: error.message };
  }
}

function textOf(FaxResponse, build) {
  const { text, error } = written(FaxResponse, build);
  assert(text !== undefined, error);
  return text;
}

const received = (FaxResponse, attributes) => textOf(FaxResponse, (response) => response.receive(attributes));

/** What both write. */
function common({ FaxResponse }) {
  return {
    empty: textOf(FaxResponse, () => {}),
    attributes: inputs.ATTRIBUTES.map((attributes) => received(FaxResponse, attributes)),
    url: received(FaxResponse, { action: inputs.ACTION_URL.href }),
    unchecked: received(FaxResponse, { ...inputs.ACTION, ...inputs.UNCHECKED }),
    wrong: inputs.WRONG.map(([, attributes]) => written(FaxResponse, (response) => response.receive(attributes))),
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
  commentRefused: written(TWILIO, (response) => response.comment(inputs.COMMENT_REFUSED)),
};
const ofSignalWire = { reject: textOf(signalwire.LaML.FaxResponse, (response) => response.reject()) };

/** The same bytes by both, so that they are recorded once. */
function byBoth(attributes) {
  const [one, other] = Object.values(PEERS).map(({ FaxResponse }) => received(FaxResponse, attributes));
  assert.equal(one, other);
  return one;
}

/** The signature that a library's own validator takes, while it refuses it for a changed parameter. */
function signature(validate, params) {
  const { authToken, url } = inputs.SIGNED;
  const text = bareSignature(authToken, url, params);
  assert(validate(authToken, text, url, params), "the helper library must take it");
  assert(!validate(authToken, text, url, { ...params, From: "other" }), "the helper library must refuse it");
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
  random: inputs.RANDOM_ATTRIBUTES.map(byBoth),
  signatures: {
    twilio: signatures(inputs.SIGNED.twilio, byTwilio.validate),
    signalwire: signatures(inputs.SIGNED.signalwire, bySignalWire.validate),
  },
};

const seed = Date.now() % 2 ** 31;
let runs = 0;
for (const attributes of inputs.randomAttributes(seed)) {
  assert.equal(after.toTwiml(after.receive(attributes)), byBoth(attributes), `seed ${seed}, run ${runs}`);
  if (++runs === LIVE_RUNS) break;
}

// Nothing but ASCII, so that no editor changes what a library wrote.
const json = JSON.stringify(recorded).replace(
  /[^\x20-\x7e]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
);
const file = fileURLToPath(new URL("../peers/recorded.json", import.meta.url));
writeFileSync(file, await format(json, { parser: "json", printWidth: 120 }));
console.log(`${file} is written; ${runs} more random attributes (seed ${seed}) gave the same bytes in this build.`);
