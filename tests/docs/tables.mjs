/**
 * `npm run docs`: writes tables in docs/ from the doc comments in src/. A table is between `<!-- table: NAME -->` and
 * `<!-- end -->`, where NAME is an exported interface. `readme.test.ts` fails if a table is outdated.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = join(import.meta.dirname, "../..");
/** The pages with tables. */
export const PAGES = ["docs/reference.md", "docs/testing.md"];
const ENTRIES = ["src/index.ts", "src/webhook/index.ts", "src/testing/index.ts"];

/** Returns the text of each page, with tables that match the doc comments. */
export function updatePages() {
  const exported = readExports();
  return PAGES.map((page) => updateTables(readFileSync(join(root, page), "utf8"), exported));
}

function updateTables(text, { checker, symbols }) {
  const getRows = (name) => {
    const symbol = symbols.get(name);
    if (symbol === undefined) throw new Error(`${name} is not exported.`);
    const exported = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return checker
      .getDeclaredTypeOfSymbol(exported)
      .getProperties()
      .map((property) => createRow(checker, property));
  };
  return text.replace(/(<!-- table: (\w+)(?: without (\w+))? -->\n)[^]*?(?=<!-- end -->)/g, (_, marker, name, base) => {
    const known = base ? getRows(base).map(String) : [];
    const rows = getRows(name).filter((row) => !known.includes(String(row)));
    return `${marker}\n${formatTable(rows)}\n\n`;
  });
}

/** The exports of all entry points, by name. */
function readExports() {
  const files = ENTRIES.map((entry) => join(root, entry));
  const program = ts.createProgram(files, { strict: true, target: ts.ScriptTarget.ES2022, types: ["node"] });
  const checker = program.getTypeChecker();
  const modules = files.map((file) => checker.getSymbolAtLocation(program.getSourceFile(file)));
  const exported = modules.flatMap((module) => checker.getExportsOfModule(module));
  return { checker, symbols: new Map(exported.map((symbol) => [symbol.name, symbol])) };
}

/** The name of a property or method, the values if they are literals, and the doc comment on one line. */
function createRow(checker, property) {
  const comment = ts.displayPartsToString(property.getDocumentationComment(checker));
  if (comment === "") throw new Error(`${property.name} has no doc comment.`);
  const isMethod = property.valueDeclaration && ts.isMethodSignature(property.valueDeclaration);
  const meaning = comment.replace(/^- /gm, "").replace(/\s+/g, " ").trim().replaceAll("|", "\\|");
  return [`\`${property.name}${isMethod ? "()" : ""}\``, formatValues(checker, property), meaning];
}

function formatValues(checker, property) {
  const type = checker.getNonNullableType(checker.getTypeOfSymbol(property));
  const types = type.isUnion() ? type.types : [type];
  const isLiteral = (each) => each.flags & (ts.TypeFlags.StringLiteral | ts.TypeFlags.BooleanLiteral);
  return types.every(isLiteral) ? types.map((each) => `\`${checker.typeToString(each)}\``).join(", ") : "";
}

/** A table, with the column of values only if a row has some. */
function formatTable(rows) {
  const all = [["name", "values", "meaning"], ["---", "---", "---"], ...rows];
  const hasValues = rows.some(([, values]) => values !== "");
  return all
    .map(([name, values, meaning]) => formatLine(hasValues ? [name, values, meaning] : [name, meaning]))
    .join("\n");
}

function formatLine(cells) {
  return `| ${cells.join(" | ")} |`.replace("|  |", "| |");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  updatePages().forEach((text, i) => writeFileSync(join(root, PAGES[i]), text));
}
