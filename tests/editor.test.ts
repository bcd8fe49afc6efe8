import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
/** A file that exists only for the language service. */
const file = join(root, "tests/snippet.ts");
const HEAD = `
import { FaxResponse, parseTwiml, receive } from "../src/index.js";
import type { FaxCallback, ParseTwimlOptions, ReceiveAttributes, ReceiveOptions } from "../src/index.js";
import { faxWebhook, fetchMedia, signRequest, verifyRequest } from "../src/webhook/index.js";
import type { FaxMediaOptions, FaxWebhookOptions, SignOptions, VerifyOptions } from "../src/webhook/index.js";
import { createFaxProvider } from "../src/testing/index.js";
import type { FaxProvider, FaxProviderOptions, FaxToSend } from "../src/testing/index.js";
declare const callback: FaxCallback;
declare const provider: FaxProvider;
`;

let text = HEAD;
let version = 0;
const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const service = ts.createLanguageService({
  getCompilationSettings: () => options,
  getScriptFileNames: () => [file],
  getScriptVersion: (name) => (name === file ? String(version) : "0"),
  getScriptSnapshot: (name) => {
    const content = name === file ? text : ts.sys.readFile(name);
    return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
  },
  getCurrentDirectory: () => root,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (name) => name === file || ts.sys.fileExists(name),
  readFile: ts.sys.readFile,
});

/** Opens a snippet, and returns the positions of the `§` marks. */
function open(snippet: string): number[] {
  const [first, ...parts] = (HEAD + snippet).split("§");
  text = first!;
  version++;
  return parts.map((part) => {
    const at = text.length;
    text += part;
    return at;
  });
}

/** The names of the properties of a type, without those declared by a class of the platform. */
function propertyNames(type: string): string[] {
  const [at] = open(`declare const §value: ${type};`);
  const program = service.getProgram()!;
  const source = program.getSourceFile(file)!;
  const checker = program.getTypeChecker();
  const node = source.statements.at(-1) as ts.VariableStatement;
  const { name } = node.declarationList.declarations[0]!;
  expect(name.getStart()).toBe(at);
  const properties = checker.getPropertiesOfType(checker.getTypeAtLocation(name));
  const own = properties.filter((property) =>
    property.declarations?.some((declaration) => !program.isSourceFileDefaultLibrary(declaration.getSourceFile())),
  );
  return own.map((property) => property.name);
}

/** The documentation that an editor shows; empty if it shows only the type. */
function documentationAt(position: number | undefined): string {
  const info = service.getQuickInfoAtPosition(file, position!);
  return ts.displayPartsToString(info?.documentation);
}

/** The properties that an editor shows without documentation; `around` returns the snippet for a name. */
function undocumented(type: string, around: (name: string) => string): string[] {
  const names = propertyNames(type);
  expect(names).not.toEqual([]);
  const positions = open(names.map(around).join("\n"));
  expect(positions).toHaveLength(names.length);
  return names.filter((_, i) => documentationAt(positions[i]) === "");
}

describe("hovering over an argument", () => {
  it.each([
    ["receive", "ReceiveAttributes", "receive({ % })"],
    ["receive", "ReceiveOptions", "receive({}, { % })"],
    ["FaxResponse.receive", "ReceiveAttributes", "new FaxResponse().receive({ % })"],
    ["parseTwiml", "ParseTwimlOptions", 'parseTwiml("", { % })'],
    ["faxWebhook", "FaxWebhookOptions", "faxWebhook({ % })"],
    ["fetchMedia", "FaxMediaOptions", "fetchMedia(callback, { % })"],
    ["createFaxProvider", "FaxProviderOptions", "createFaxProvider({ % })"],
    ["sendFax", "FaxToSend", "provider.sendFax({ % })"],
    ["signRequest", "SignOptions", "signRequest({ % })"],
    ["verifyRequest", "VerifyOptions", "verifyRequest({ % })"],
  ])("hovering over an argument of %s shows the documentation of every property of %s", (_, type, call) => {
    expect(undocumented(type, (name) => call.replace("%", `§${name}: undefined!`))).toEqual([]);
    expect(undocumented(type, (name) => `({ §${name}: undefined! }) satisfies Partial<${type}>;`)).toEqual([]);
  });

  it("hovering over an argument of receive shows its documentation even if the pages would be lost", () => {
    const positions = open("receive({ §storeMedia: false, §method: 'GET' });");
    expect(positions.filter((at) => documentationAt(at) === "")).toEqual([]);
  });
});

/** A declaration in src/, except for private members of a class. */
function isPublic(declaration: ts.Declaration): boolean {
  const name = ts.getNameOfDeclaration(declaration);
  return declaration.getSourceFile().fileName.startsWith(join(root, "src/")) && !(name && ts.isPrivateIdentifier(name));
}

/** The properties of a type that src/ declares, with those of their object types, by path. */
function listProperties(path: string, type: ts.Type, checker: ts.TypeChecker): [path: string, ts.Symbol][] {
  if (type.isUnion()) return type.types.flatMap((each) => listProperties(path, each, checker));
  if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return [];
  return checker.getPropertiesOfType(type).flatMap((property) => {
    const valueType = checker.getTypeOfSymbol(property);
    // `undefined` and `never` mean that the type does not have the property.
    if (valueType.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Never)) return [];
    if (!property.declarations?.some(isPublic)) return [];
    const name = `${path}.${property.name}`;
    return [[name, property], ...listProperties(name, valueType, checker)];
  });
}

/** The exports of an entry, and the properties of the exported types, by path. */
function listPublicNames(entry: string, program: ts.Program): [path: string, ts.Symbol][] {
  const checker = program.getTypeChecker();
  const entrySymbol = checker.getSymbolAtLocation(program.getSourceFile(join(root, entry))!)!;
  return checker.getExportsOfModule(entrySymbol).flatMap((each) => {
    const symbol = each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each;
    return [[each.name, symbol], ...listProperties(each.name, checker.getDeclaredTypeOfSymbol(symbol), checker)];
  });
}

/** The properties of a Standard Schema, which https://standardschema.dev documents. */
const STANDARD_SCHEMA = /^Fax(Parser|SchemaResult)\./;

describe("hovering over a public name", () => {
  it.each(["src/index.ts", "src/webhook/index.ts", "src/testing/index.ts"])(
    "hovering over an export of %s, or over a property of an exported type, shows its documentation",
    (entry) => {
      open("");
      const program = service.getProgram()!;
      const checker = program.getTypeChecker();
      const names = listPublicNames(entry, program).filter(([path]) => !STANDARD_SCHEMA.test(path));
      expect(names.length).toBeGreaterThan(50);
      const undocumented = names.filter(([, symbol]) => symbol.getDocumentationComment(checker).length === 0);
      expect([...new Set(undocumented.map(([path]) => path))]).toEqual([]);
    },
  );
});

describe("completing a property", () => {
  it("completing an argument of receive offers only the attributes, with their documentation", () => {
    const [position] = open("receive({ § })");
    const { entries } = service.getCompletionsAtPosition(file, position!, undefined)!;
    expect(entries.map(({ name }) => name).sort()).toEqual(propertyNames("ReceiveAttributes").sort());
    open("receive({ § })");
    const details = entries.map(({ name }) =>
      service.getCompletionEntryDetails(file, position!, name, undefined, undefined, undefined, undefined),
    );
    expect(details.map((each) => ts.displayPartsToString(each?.documentation))).not.toContain("");
  });
});

describe("the compiler's error for a common mistake", () => {
  const lost = "storeMedia: false requires an action with method POST; otherwise the pages are lost";
  /** The lines of the only error. */
  function errorLines(snippet: string): string[] {
    open(snippet);
    const errors = service.getSemanticDiagnostics(file).filter(({ start }) => start! >= HEAD.length);
    expect(errors).toHaveLength(1);
    return ts.flattenDiagnosticMessageText(errors[0]!.messageText, "\n").split("\n");
  }

  it.each([
    ["receive({ storeMedia: false })", lost],
    ["receive({ storeMedia: false, action: null })", lost],
    ['receive({ storeMedia: false, action: "/fax", method: "GET" })', lost],
    ["new FaxResponse().receive({ storeMedia: false })", lost],
    ['receive({ actoin: "/fax" })', "Did you mean to write 'action'?"],
    ['receive({ action: "/fax", pagesize: "a4" })', "'pagesize' does not exist in type 'ReceiveAttributes'"],
    ['receive({ mediaType: "pdf" })', `Type '"pdf"' is not assignable to type '"application/pdf" | "image/tiff"`],
    ['faxWebhook({ authToken: "t", onfax: () => receive() })', "Did you mean to write 'onFax'?"],
    ['faxWebhook({ authToken: "t", onFax: () => {} })', "Type '() => void' is not assignable to"],
    ['faxWebhook({ authToken: "t", onFax: () => "" })', "Type '() => string' is not assignable to"],
  ])("the first line of the compiler's error for %s has the reason", (snippet, reason) => {
    expect(errorLines(snippet)[0]).toContain(reason);
  });

  it.each(["faxWebhook({})", "faxWebhook({ onFax: () => receive() })"])(
    "the compiler's error for %s names authToken",
    (snippet) => {
      expect(errorLines(snippet)[1]).toContain("Property 'authToken' is missing");
    },
  );
});
