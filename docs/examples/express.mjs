import express from "express";
import { webhook } from "./fax.mjs";

const app = express();
app.all("/fax", webhook.node); // Express 4 and 5, with or without a body parser in front
const server = app.listen(Number(process.env.PORT ?? 3000));
// Node exits once the last handler has finished.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => server.close());
