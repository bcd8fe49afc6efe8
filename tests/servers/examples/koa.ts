import Koa from "koa";
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({
  authToken: process.env.FAX_AUTH_TOKEN,
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
});

const app = new Koa();
app.use(async (ctx, next) => {
  if (ctx.path !== "/fax") return next();
  ctx.respond = false; // the webhook answers by itself
  await webhook.node(ctx.req, ctx.res, (error) => ctx.onerror(error as Error));
});
export const server = app.listen(Number(process.env.PORT ?? 3000));
