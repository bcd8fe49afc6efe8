/**
 * `npm run api`: writes `api.md`, every declaration that the three entries export. `api.test.ts` fails if it is
 * outdated. Types that are not exported are written out in place, so that new names in src/ do not change the report.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = join(import.meta.dirname, "../..");
const ENTRIES = {
  "twiml-fax": "src/index.ts",
  "twiml-fax/webhook": "src/webhook/index.ts",
  "twiml-fax/testing": "src/testing/index.ts",
};
const HEAD = `# Public API

Every declaration that the three entries export, without comments. \`npm run api\` writes this file.
A removed or changed line breaks programs that use it, and needs a new major version.
`;

/** The path of the report. */
export const REPORT = join(import.meta.dirname, "api.md");

// TypeScript's paths have `/` on every platform.
const SOURCE = `${root.replaceAll("\\", "/")}/src/`;
const files = Object.values(ENTRIES).map((file) => join(root, file));
const { compilerOptions } = ts.readConfigFile(join(root, "tsconfig.json"), (file) => readFileSync(file, "utf8")).config;
const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, root);
const program = ts.createProgram(files, options);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

const exportsByEntry = files.map((file) => {
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  return sortByName(symbols.map(resolveAlias));
});
const exported = new Set(exportsByEntry.flat());
/** Types that are not exported, and that depend on a type parameter: they cannot be written out in place. */
const helpers = new Set();

/** Returns the text of the report. */
export function createReport() {
  const sections = Object.keys(ENTRIES).map((entry, i) => formatSection(`"${entry}"`, exportsByEntry[i]));
  // A helper can add another one, which the loop then reaches.
  for (const helper of helpers) formatSymbol(helper);
  const rest = formatSection("Not exported, but part of the types above", sortByName([...helpers]));
  return [HEAD, ...sections, rest].join("\n");
}

function sortByName(symbols) {
  return symbols.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function resolveAlias(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function formatSection(title, symbols) {
  return `## ${title}\n\n\`\`\`ts\n${symbols.map(formatSymbol).join("\n\n")}\n\`\`\`\n`;
}

function formatSymbol(symbol) {
  const declaration = symbol.declarations[0];
  const name = `${symbol.name}${formatTypeParameters(declaration.typeParameters)}`;
  const type = checker.getTypeOfSymbol(symbol);
  if (ts.isFunctionDeclaration(declaration)) return formatSignatures(`function ${symbol.name}`, type);
  if (ts.isVariableDeclaration(declaration)) return `const ${name}: ${format(type, declaration.type)};`;
  const declared = checker.getDeclaredTypeOfSymbol(symbol);
  if (ts.isTypeAliasDeclaration(declaration)) return `type ${name} = ${formatAlias(declared, declaration.type)};`;
  // The properties of all other bases are in the list of members.
  const isNamed = (base) => base.objectFlags & (ts.ObjectFlags.ClassOrInterface | ts.ObjectFlags.Reference);
  const bases = checker.getBaseTypes(declared).filter((base) => isNamed(base) && isFromPlatform(base.symbol));
  const heritage = bases.length ? ` extends ${bases.map((base) => format(base)).join(", ")}` : "";
  const kind = ts.isClassDeclaration(declaration) ? "class" : "interface";
  const constructors = kind === "class" ? type.getConstructSignatures() : [];
  return `${kind} ${name}${heritage} ${formatMembers(declared, constructors)}`;
}

/** A condition is printed as declared, because its result depends on a type parameter or on the user's libraries. */
function formatAlias(type, node) {
  return ts.isConditionalTypeNode(node) ? printWithHelpers(node) : format(type, node);
}

/** The members of an object type, sorted, except for those of the platform's types and the private ones. */
function formatMembers(type, constructors = []) {
  const visible = type.getProperties().filter((symbol) => !isHidden(symbol));
  // As declared: `type` has the class in the place of `this`.
  const isClass = type.symbol && type.symbol.flags & ts.SymbolFlags.Class;
  const properties = isClass ? visible.map((each) => checker.getSymbolAtLocation(each.valueDeclaration.name)) : visible;
  const lines = [
    ...constructors.map((signature) => `constructor(${formatParameters(signature)});`),
    ...(type.getCallSignatures().length ? [formatSignatures("", type)] : []),
    ...checker.getIndexInfosOfType(type).map(formatIndex),
    ...properties.map(formatProperty).sort(),
  ];
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n").replace(/^/gm, "  ")}\n}`;
}

function isHidden(symbol) {
  const declaration = symbol.valueDeclaration;
  if (!declaration) return false;
  const isPrivate = ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.NonPublicAccessibilityModifier;
  return isPrivate || ts.isPrivateIdentifier(declaration.name) || isFromPlatform(symbol);
}

function formatIndex({ isReadonly, keyType, type, declaration }) {
  return `${isReadonly ? "readonly " : ""}[name: ${format(keyType)}]: ${format(type, declaration?.type)};`;
}

function formatProperty(symbol) {
  const declaration = symbol.valueDeclaration;
  const hasPlainName = !declaration || ts.isIdentifier(declaration.name);
  const isOptional = Boolean(symbol.flags & ts.SymbolFlags.Optional);
  const name = `${hasPlainName ? symbol.name : declaration.name.getText()}${isOptional ? "?" : ""}`;
  const type = checker.getTypeOfSymbol(symbol);
  if (symbol.flags & ts.SymbolFlags.Method) return formatSignatures(name, checker.getNonNullableType(type));
  return `${isReadonlyProperty(symbol) ? "readonly " : ""}${name}: ${format(type, declaration?.type, isOptional)};`;
}

/** Whether a property is declared read-only, has only a getter, or is one of a read-only mapped type. */
function isReadonlyProperty(symbol) {
  const isDeclared = ts.getDeclarationModifierFlagsFromSymbol(symbol) & ts.ModifierFlags.Readonly;
  const isMapped = ts.getCheckFlags(symbol) & ts.CheckFlags.Readonly;
  const isGetter = symbol.flags & ts.SymbolFlags.GetAccessor && !(symbol.flags & ts.SymbolFlags.SetAccessor);
  return isDeclared || isMapped || isGetter;
}

/** One line for each overload. */
function formatSignatures(name, type) {
  return type
    .getCallSignatures()
    .map((signature) => `${name}${formatSignature(signature, ": ")};`)
    .join("\n");
}

function formatSignature(signature, separator) {
  const { typeParameters, type } = signature.getDeclaration() ?? {};
  const result = format(signature.getReturnType(), type);
  return `${formatTypeParameters(typeParameters)}(${formatParameters(signature)})${separator}${result}`;
}

function formatParameters(signature) {
  const parameters = signature.getParameters().map((symbol) => {
    const { name, questionToken, initializer, dotDotDotToken, type } = symbol.valueDeclaration;
    const isOptional = Boolean(questionToken ?? initializer);
    const text = `${dotDotDotToken ? "..." : ""}${ts.isIdentifier(name) ? symbol.name : "object"}`;
    return `${text}${isOptional ? "?" : ""}: ${format(checker.getTypeOfSymbol(symbol), type, isOptional)}`;
  });
  return parameters.join(", ");
}

function formatTypeParameters(nodes) {
  return nodes?.length ? `<${nodes.map(print).join(", ")}>` : "";
}

/** A type as its declaration writes it if that names only exported types; otherwise with the others written out. */
function format(type, node, isOptional = false) {
  if (node && isSameType(type, checker.getTypeFromTypeNode(node))) return formatNode(node);
  if (type.isUnion()) return formatUnion(type, isOptional);
  if (type.isIntersection()) return type.types.map((each) => addParentheses(format(each), /[?|]/)).join(" & ");
  if (type.flags & ts.TypeFlags.Object) return formatObject(type);
  return checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
}

/** Whether two types are the same, apart from the absence of an optional property or parameter. */
function isSameType(type, declared) {
  const list = (each) =>
    (each.isUnion() ? each.types : [each]).filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
  const types = new Set(list(type));
  return type === declared || (list(declared).every((each) => types.delete(each)) && types.size === 0);
}

function formatNode(node) {
  const internal = listReferences(node).filter((symbol) => !isPublic(symbol));
  if (internal.length === 0) return print(node);
  if (ts.isParenthesizedTypeNode(node)) return `(${formatNode(node.type)})`;
  if (ts.isUnionTypeNode(node)) return node.types.map((each) => addParentheses(formatNode(each))).join(" | ");
  if (ts.isIntersectionTypeNode(node))
    return node.types.map((each) => addParentheses(formatNode(each), /[?|]/)).join(" & ");
  const type = checker.getTypeFromTypeNode(node);
  if (ts.isTypeReferenceNode(node) && node.typeArguments) return printWithHelpers(node);
  const alias = type.aliasSymbol?.declarations[0];
  return alias && internal.includes(type.aliasSymbol) ? formatAlias(type, alias.type) : format(type);
}

/** Adds parentheses to a member of a union (or intersection) that has a weaker operator outside of its brackets. */
function addParentheses(text, operators = /[?]/) {
  let outside = text.replaceAll("=>", "?");
  while (/[({<]/.test(outside)) outside = outside.replace(/[({<][^(){}<>]*[)}>]/g, "");
  return operators.test(outside) ? `(${text})` : text;
}

/** The types and values that a node names, apart from type parameters. */
function listReferences(node) {
  const names = [];
  const visit = (child) => {
    if (ts.isTypeReferenceNode(child)) names.push(child.typeName);
    if (ts.isTypeQueryNode(child)) names.push(child.exprName);
    ts.forEachChild(child, visit);
  };
  visit(node);
  const symbols = names.map((name) => resolveAlias(checker.getSymbolAtLocation(name)));
  return symbols.filter((symbol) => !(symbol.flags & ts.SymbolFlags.TypeParameter));
}

/** The node as declared; the report then has a declaration of every type that it names. */
function printWithHelpers(node) {
  for (const symbol of listReferences(node)) if (!isPublic(symbol)) helpers.add(symbol);
  return print(node);
}

function isPublic(symbol) {
  return exported.has(symbol) || isFromPlatform(symbol);
}

function isFromPlatform(symbol) {
  const declaration = symbol.declarations?.[0];
  // `globalThis` has no declaration.
  return !declaration?.getSourceFile().fileName.startsWith(SOURCE);
}

/** The members of a union, sorted, because TypeScript's order depends on the order of the source. */
function formatUnion(type, isOptional) {
  const types = type.types.filter((each) => !(isOptional && isMissing(each)));
  const isBoolean = types.filter((each) => each.flags & ts.TypeFlags.BooleanLiteral).length === 2;
  const others = types.filter((each) => !(isBoolean && each.flags & ts.TypeFlags.BooleanLiteral));
  const texts = others.map((each) => addParentheses(format(each)));
  return [...new Set([...texts, ...(isBoolean ? ["boolean"] : [])])].sort().join(" | ");
}

/** Whether a type is only the absence of an optional property, which is not the declared type `undefined`. */
function isMissing(type) {
  return type.flags & ts.TypeFlags.Undefined && type !== checker.getUndefinedType();
}

function formatObject(type) {
  if (checker.isArrayType(type) || checker.isTupleType(type))
    return checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  if (type.aliasSymbol && isPublic(type.aliasSymbol)) return formatName(type.aliasSymbol, type.aliasTypeArguments);
  if (type.symbol && isPublic(type.symbol)) return formatName(type.symbol, checker.getTypeArguments(type));
  const [signature, ...more] = type.getCallSignatures();
  if (signature && more.length === 0 && type.getProperties().length === 0) return formatSignature(signature, " => ");
  return formatMembers(type);
}

/** A name with its type arguments, apart from the last ones that equal their defaults. */
function formatName(symbol, args = []) {
  const parameters = symbol.declarations[0].typeParameters ?? [];
  const needed = args.slice(0, parameters.length);
  const isDefault = (arg, node) => node && checker.getTypeFromTypeNode(node) === arg;
  while (isDefault(needed.at(-1), parameters[needed.length - 1]?.default)) needed.pop();
  return `${symbol.name}${needed.length ? `<${needed.map((arg) => format(arg)).join(", ")}>` : ""}`;
}

function print(node) {
  const text = printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
  // Indents by two, and keeps tuples on one line.
  const lines = text.replace(/^ +/gm, (spaces) => spaces.slice(spaces.length / 2));
  return lines.replace(/\[\n([^\]]*)\n *\]/g, (_, members) => `[${members.trim().replace(/\n */g, " ")}]`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(REPORT, createReport());
