/** workerd without Node's modules: the core alone. */
import * as core from "twiml-fax";
import { run } from "./suite.mjs";

export default {
  async fetch() {
    return Response.json(await run({ core }));
  },
};
