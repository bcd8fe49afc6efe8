/** workerd: `/suite` runs the suite inside the worker; all other paths are `webhook.fetch`. */
import * as core from "twiml-fax";
import * as testing from "twiml-fax/testing";
import * as webhook from "twiml-fax/webhook";
import { createFailing, createWebhook, run } from "./suite.mjs";

const modules = { core, webhook, testing };
const { hook } = createWebhook(modules);
const failing = createFailing(modules);

export default {
  async fetch(request) {
    if (request.headers.get("x-case") === "throws") return failing.fetch(request);
    if (new URL(request.url).pathname !== "/suite") return hook.fetch(request);
    return Response.json(await run(modules));
  },
};
