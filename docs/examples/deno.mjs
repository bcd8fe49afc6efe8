import { webhook } from "./fax.mjs";

Deno.serve({ port: Number(process.env.PORT ?? 3000) }, webhook.fetch); // Deno
