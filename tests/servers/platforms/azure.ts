/** `@azure/functions`, as far as the example uses it. */
import { registered } from "./registered.js";

export const app = {
  http: (name: string, { handler }: { handler: (request: Request) => Promise<Response> }) =>
    void registered.set(name, handler),
};
