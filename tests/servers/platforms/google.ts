/** `@google-cloud/functions-framework`, as far as the example uses it. */
import { registered } from "./registered.js";

export function http(name: string, handler: (req: any, res: any) => unknown): void {
  registered.set(name, handler);
}
