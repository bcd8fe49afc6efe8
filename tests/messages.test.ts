/** Every message of the library with the call that produces it, in one snapshot. Review wording in messages.snap.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { cli } from "./messages/cli.js";
import { media } from "./messages/media.js";
import { params } from "./messages/params.js";
import { testing } from "./messages/testing.js";
import { twiml } from "./messages/twiml.js";
import { webhook } from "./messages/webhook.js";
import type { Messages } from "./messages/types.js";

const SECTIONS: Record<string, Messages> = { twiml, params, webhook, media, testing, cli };
const SNAPSHOT = join(import.meta.dirname, "messages.snap.md");

/** The calls are text, so that the snapshot shows exactly what is run; `scope` has the names that they use. */
async function run(call: string, scope: object): Promise<string> {
  try {
    const evaluate = new Function(...Object.keys(scope), `return ${call};`) as (...values: unknown[]) => unknown;
    return String(await evaluate(...(Object.values(scope) as unknown[])));
  } catch (error) {
    const { name, code, message } = error as Error & { code?: unknown };
    return `${name}${code === undefined ? "" : ` ${String(code)}`}: ${message}`;
  }
}

async function format(title: string, { scope, calls }: Messages): Promise<string> {
  let text = `## ${title}\n`;
  for (const call of calls) text += `\n${call}\n${(await run(call, scope)).replace(/^/gm, "    ")}\n`;
  return text;
}

/** Literal text of messages in src/: at least three words, outside of patterns, types and imports. */
function listMessageTexts(): string[] {
  const root = join(import.meta.dirname, "../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return files.flatMap((name) => {
    const texts: string[] = [];
    const tree = ts.createSourceFile(name, readFileSync(join(root, name), "utf8"), ts.ScriptTarget.ES2022, true);
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node)) texts.push(node.text);
      if (!ts.isTypeNode(node) && !ts.isImportDeclaration(node)) ts.forEachChild(node, visit);
    };
    visit(tree);
    return texts.filter((text) => /[a-z]+ [a-z]+ [a-z]+/i.test(text)).map((text) => text.trim());
  });
}

describe("messages", () => {
  it("every call produces its message in messages.snap.md", async () => {
    const sections = await Promise.all(Object.entries(SECTIONS).map(([title, section]) => format(title, section)));
    await expect(sections.join("\n")).toMatchFileSnapshot(SNAPSHOT);
  });

  it("the message texts of src/ are all in messages.snap.md", () => {
    const snapshot = readFileSync(SNAPSHOT, "utf8").replace(/\s+/g, " ");
    expect(listMessageTexts().filter((text) => !snapshot.includes(text.replace(/\s+/g, " ")))).toEqual([]);
  });
});
