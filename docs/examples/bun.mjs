import { webhook } from "./fax.mjs";

Bun.serve({ port: process.env.PORT ?? 3000, routes: { "/fax": webhook.fetch } }); // Bun
