/** The calls that produce the messages of the section "cli". */
import type { Messages } from "./types.js";

export const cli: Messages = { scope: {}, calls: [] };
