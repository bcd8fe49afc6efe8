import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({
  authToken: process.env.FAX_AUTH_TOKEN,
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
});

const app = new Hono();
app.all("/fax", (c) => webhook.fetch(c.req.raw));
export const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
