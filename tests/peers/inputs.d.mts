/** The types of inputs.mjs, which the recorder imports without a build. */
import type { ReceiveAttributes } from "../../src/index.js";

type Form = Record<string, string>;
type Forms = Record<"incoming" | "callback" | "odd", Form>;

export const ATTRIBUTES: (ReceiveAttributes | undefined)[];
export const ACTION_URL: URL;
export const ACTION: { action: string };
export const UNCHECKED: Record<string, string>;
export const COMMENTS: [before: string[], after: string[]][];
export const COMMENT_ALONE: string;
export const COMMENT_REFUSED: string;
export const WRONG: [name: string, attributes: object][];
export const RANDOM: { seed: number; count: number };
export const SIGNED: { authToken: string; url: string; signalwire: Forms; twilio: Forms };
export const RANDOM_ATTRIBUTES: ReceiveAttributes[];
export function randomAttributes(seed: number): Generator<ReceiveAttributes, never>;
export function inputsDigest(): string;
