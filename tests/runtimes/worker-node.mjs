/** workerd: `webhook.node` behind its `node:http`. */
import { httpServerHandler } from "cloudflare:node";
import { createServer } from "node:http";
import * as core from "twiml-fax";
import * as webhook from "twiml-fax/webhook";
import { createListener } from "./suite.mjs";

createServer(createListener({ core, webhook })).listen(8080);

export default httpServerHandler({ port: 8080 });
