import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { webhook } from "./fax.mjs";

const app = new Hono();
app.all("/fax", (c) => webhook.fetch(c.req.raw)); // Hono, before whatever reads the body
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
// Node exits once the last handler has finished.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => server.close());
