import Koa from "koa";
import { webhook } from "./fax.mjs";

const app = new Koa();
app.use(async (ctx, next) => {
  if (ctx.path !== "/fax") return next();
  ctx.respond = false; // the webhook answers by itself
  await webhook.node(ctx.req, ctx.res, (error) => ctx.onerror(error));
});
const server = app.listen(Number(process.env.PORT ?? 3000));
// Node exits once the last handler has finished.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => server.close());
