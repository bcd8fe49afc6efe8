/** Who runs in which task: each build of the library, the peers, and the floors written by hand. */
import querystring from "node:querystring";
import { bareVerify, decodeByHand, decodeBySearchParams, EMPTY_RESPONSE, turnByHand, writeByHand } from "./by-hand.mjs";
import { attributes, attributesFor, authToken, callbacks, over, requests, url } from "./inputs.mjs";
import { createXml, fastQuerystring, ofBuilds, qs, signalwire, twilio, XMLBuilder } from "./libraries.mjs";

export const writers = {
  ...ofBuilds(({ toTwiml, receive }) => over(attributes, (each) => toTwiml(receive(each)))),
  ...ofBuilds(({ FaxResponse }) => over(attributes, (each) => writeByHelper(FaxResponse, each)), "its FaxResponse"),
  twilio: over(attributes, (each) => writeByHelper(twilio.twiml.FaxResponse, each)),
  SignalWire: over(attributes, (each) => writeByHelper(signalwire.LaML.FaxResponse, each)),
  xmlbuilder2: over(attributes, writeByXmlBuilder2),
  "fast-xml-parser": over(attributes, writeByFastXmlParser()),
  "by hand": over(attributes, writeByHand),
};

function writeByHelper(Response, attributes) {
  const response = new Response();
  response.receive(attributes);
  return response.toString();
}

function writeByXmlBuilder2(attributes) {
  return createXml({ version: "1.0", encoding: "UTF-8" }).ele("Response").ele("Receive", attributes).end();
}

function writeByFastXmlParser() {
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    suppressEmptyNode: true,
    suppressBooleanAttributes: false,
  });
  const xml = { "@_version": "1.0", "@_encoding": "UTF-8" };
  return (attributes) => {
    const prefixed = {};
    for (const name in attributes) prefixed["@_" + name] = attributes[name];
    return builder.build({ "?xml": xml, Response: { Receive: prefixed } });
  };
}

/** `parserOf` takes our parser out of a library. */
export const parsers = (parserOf, forms) => ({
  ...ofBuilds((library) => {
    const parse = parserOf(library);
    return over(forms, ({ body }) => parse(body));
  }),
  "fast-querystring": over(forms, ({ body }) => fastQuerystring.parse(body)),
  querystring: over(forms, ({ body }) => querystring.parse(body)),
  qs: over(forms, ({ body }) => qs.parse(body)),
  URLSearchParams: over(forms, ({ body }) => decodeBySearchParams(body)),
  "by hand": over(forms, ({ body }) => decodeByHand(body)),
});

/** For one body that is long or malformed. Ours refuses most of them, which is part of the work. */
export const parsersOf = (body) => ({
  ...ofBuilds(
    ({ parseFaxRequest }) =>
      () =>
        refusing(parseFaxRequest, body),
  ),
  "fast-querystring": () => fastQuerystring.parse(body),
  querystring: () => querystring.parse(body, "&", "=", { maxKeys: 0 }),
  URLSearchParams: () => decodeBySearchParams(body),
});

function refusing(parse, body) {
  try {
    return parse(body);
  } catch (error) {
    if (error.name !== "FaxRequestError") throw error;
    return error;
  }
}

export const verifiers = (forms) => ({
  ...ofBuilds(({ verifyRequest }) =>
    over(forms, ({ params, signature }) => verifyRequest({ authToken, signature, url, params })),
  ),
  "bare HMAC": over(forms, ({ params, signature }) => bareVerify(authToken, signature, url, params)),
  twilio: over(forms, ({ params, signature }) => twilio.validateRequest(authToken, signature, url, params)),
  SignalWire: over(forms, ({ params, signature }) => signalwire.validateRequest(authToken, signature, url, params)),
});

const answerFax = ({ To }) => writeByHand(attributesFor(To));
const answerCallback = () => EMPTY_RESPONSE;

export const turns = {
  ...ofBuilds((library) => turnOver(requests, webhookOf(library))),
  "by hand, fast-querystring": turnOver(requests, turnByHand(authToken, fastQuerystring.parse, answerFax)),
  "by hand": turnOver(requests, turnByHand(authToken, decodeByHand, answerFax)),
  "by hand, URLSearchParams": turnOver(requests, turnByHand(authToken, decodeBySearchParams, answerFax)),
  twilio: turnOver(requests, turnByHelper(twilio.validateRequest, twilio.twiml.FaxResponse)),
  SignalWire: turnOver(requests, turnByHelper(signalwire.validateRequest, signalwire.LaML.FaxResponse)),
};

export const callbackTurns = {
  ...ofBuilds((library) => turnOver(callbacks, webhookOf(library))),
  "by hand, fast-querystring": turnOver(callbacks, turnByHand(authToken, fastQuerystring.parse, answerCallback)),
};

function turnOver(forms, handle) {
  return over(forms, ({ headers, body }) => handle({ method: "POST", url: "/fax/incoming?line=2", headers, body }));
}

function webhookOf({ faxWebhook, receive }) {
  return faxWebhook({
    authToken,
    publicUrl: "https://fax.example.com",
    onFax: (fax) => receive(attributesFor(fax.to)),
    onCallback: () => {},
  }).handle;
}

/** A turn as the helper libraries' own documentation writes it: nothing is checked but the signature. */
function turnByHelper(validate, Response) {
  return async ({ url: path, headers, body }) => {
    const params = querystring.parse(body);
    const whole = "https://fax.example.com" + path;
    if (!validate(authToken, headers["x-twilio-signature"], whole, params)) return { status: 403 };
    const twiml = writeByHelper(Response, attributesFor(params.To));
    return { status: 200, headers: { "content-type": "text/xml" }, body: twiml };
  };
}
