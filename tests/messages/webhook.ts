/** The calls that produce the messages of the section "webhook". */
import type { Messages } from "./types.js";

export const webhook: Messages = { scope: {}, calls: [] };
