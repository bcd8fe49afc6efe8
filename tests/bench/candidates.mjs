/** The candidates of each task: every build of the library, the peers, and code written by hand. */
import querystring from "node:querystring";
import * as byHand from "./by-hand.mjs";
import { attributes, attributesFor, authToken, callbacks, over, requests, url } from "./inputs.mjs";
import { createXml, fastQuerystring, ofBuilds, qs, signalwire, twilio, XMLBuilder } from "./libraries.mjs";

const DECLARATION = { "@_version": "1.0", "@_encoding": "UTF-8" };
const builder = new XMLBuilder({ ignoreAttributes: false, suppressEmptyNode: true, suppressBooleanAttributes: false });

export const writers = {
  ...ofBuilds(({ toTwiml, receive }) => over(attributes, (each) => toTwiml(receive(each)))),
  ...ofBuilds(({ FaxResponse }) => over(attributes, (each) => writeByHelper(FaxResponse, each)), "its FaxResponse"),
  twilio: over(attributes, (each) => writeByHelper(twilio.twiml.FaxResponse, each)),
  SignalWire: over(attributes, (each) => writeByHelper(signalwire.LaML.FaxResponse, each)),
  xmlbuilder2: over(attributes, writeByXmlBuilder2),
  "fast-xml-parser": over(attributes, writeByFastXmlParser),
  "by hand": over(attributes, byHand.writeByHand),
};

function writeByHelper(Response, attributes) {
  const response = new Response();
  response.receive(attributes);
  return response.toString();
}

function writeByXmlBuilder2(attributes) {
  return createXml({ version: "1.0", encoding: "UTF-8" }).ele("Response").ele("Receive", attributes).end();
}

function writeByFastXmlParser(attributes) {
  const prefixed = {};
  for (const name in attributes) prefixed["@_" + name] = attributes[name];
  return builder.build({ "?xml": DECLARATION, Response: { Receive: prefixed } });
}

/** `getParser` selects the parser of a build. */
export const parsers = (getParser, forms) => ({
  ...ofBuilds((library) => over(forms, ({ body }) => getParser(library)(body))),
  "fast-querystring": over(forms, ({ body }) => fastQuerystring.parse(body)),
  querystring: over(forms, ({ body }) => querystring.parse(body)),
  qs: over(forms, ({ body }) => qs.parse(body)),
  URLSearchParams: over(forms, ({ body }) => byHand.decodeBySearchParams(body)),
  "by hand": over(forms, ({ body }) => byHand.decodeByHand(body)),
});

/** The parsers with one long or malformed body. Ours throws for most of them, and this time is included. */
export const parsersOf = (body) => ({
  ...ofBuilds((library) => () => parseOrCatch(library, body)),
  "fast-querystring": () => fastQuerystring.parse(body),
  querystring: () => querystring.parse(body, "&", "=", { maxKeys: 0 }),
  URLSearchParams: () => byHand.decodeBySearchParams(body),
});

function parseOrCatch({ parseFaxRequest }, body) {
  try {
    return parseFaxRequest(body);
  } catch (error) {
    if (error.name !== "FaxRequestError") throw error;
    return error;
  }
}

export const verifiers = (forms) => ({
  ...ofBuilds(({ verifyRequest }) =>
    over(forms, ({ params, signature }) => verifyRequest({ authToken, signature, url, params })),
  ),
  "bare HMAC": over(forms, ({ params, signature }) => byHand.bareVerify(authToken, signature, url, params)),
  twilio: over(forms, ({ params, signature }) => twilio.validateRequest(authToken, signature, url, params)),
  SignalWire: over(forms, ({ params, signature }) => signalwire.validateRequest(authToken, signature, url, params)),
});

const writeVerb = ({ To }) => byHand.writeByHand(attributesFor(To));
const writeEmpty = () => byHand.EMPTY_RESPONSE;

export const handlers = {
  ...ofBuilds((library) => handleEach(requests, createHandle(library))),
  "by hand, fast-querystring": handleEach(requests, byHand.handleByHand(authToken, fastQuerystring.parse, writeVerb)),
  "by hand": handleEach(requests, byHand.handleByHand(authToken, byHand.decodeByHand, writeVerb)),
  "by hand, URLSearchParams": handleEach(
    requests,
    byHand.handleByHand(authToken, byHand.decodeBySearchParams, writeVerb),
  ),
  twilio: handleEach(requests, handleByHelper(twilio.validateRequest, twilio.twiml.FaxResponse)),
  SignalWire: handleEach(requests, handleByHelper(signalwire.validateRequest, signalwire.LaML.FaxResponse)),
};

export const callbackHandlers = {
  ...ofBuilds((library) => handleEach(callbacks, createHandle(library))),
  "by hand, fast-querystring": handleEach(callbacks, byHand.handleByHand(authToken, fastQuerystring.parse, writeEmpty)),
};

function handleEach(forms, handle) {
  return over(forms, ({ headers, body }) => handle({ method: "POST", url: "/fax/incoming?line=2", headers, body }));
}

function createHandle({ faxWebhook, receive }) {
  return faxWebhook({
    authToken,
    publicUrl: "https://fax.example.com",
    onFax: (fax) => receive(attributesFor(fax.to)),
    onCallback: () => {},
  }).handle;
}

/** As in the documentation of the helper libraries: only the signature is checked. */
function handleByHelper(validate, Response) {
  return async ({ url: path, headers, body }) => {
    const params = querystring.parse(body);
    const whole = "https://fax.example.com" + path;
    if (!validate(authToken, headers["x-twilio-signature"], whole, params)) return { status: 403 };
    const twiml = writeByHelper(Response, attributesFor(params.To));
    return { status: 200, headers: { "content-type": "text/xml" }, body: twiml };
  };
}
