import { node } from "@elysiajs/node";
import { Elysia } from "elysia";
import { webhook } from "./fax.js";

const app = new Elysia({ adapter: node() }); // On Bun, leave out the adapter.
app.all("/fax", ({ request }) => webhook.fetch(request), {
  parse: "none", // leaves the body to the webhook
  error({ error, set }) {
    console.error(error);
    set.status = 500;
    return "Internal Server Error"; // Elysia's own response contains the message of the error.
  },
});
app.listen(Number(process.env.PORT ?? 3000));
