/** The empty page, compared with the specification of its format. */
import { describe, expect, it } from "vitest";
import { emptyPage } from "../../src/testing/sample-pages.js";

describe("the empty page as PDF (ISO 32000-1, section 7.5)", () => {
  const read = () => new TextDecoder("latin1").decode(emptyPage("application/pdf"));

  it("the PDF has a cross-reference table with the offset of each object", () => {
    const text = read();
    expect(text.startsWith("%PDF-1.4\n")).toBe(true);
    const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)![1]);
    const table = /^xref\n0 4\n((?:\d{10} \d{5} [fn] \n){4})trailer\n/.exec(text.slice(start))!;
    const [free, ...used] = table[1]!.match(/.{19}\n/g)!;
    expect(free).toBe("0000000000 65535 f \n");
    used.forEach((entry, i) => {
      expect(entry).toMatch(/^\d{10} 00000 n \n$/);
      expect(text.slice(Number(entry.slice(0, 10)))).toMatch(
        new RegExp(`^${i + 1} 0 obj\n<< /Type /[^]* >>\nendobj\n`),
      );
    });
  });

  it("the PDF has a catalog, a tree of one page, and a page of letter size", () => {
    const text = read();
    expect(text).toMatch(/trailer\n<< \/Size 4 \/Root 1 0 R >>\n/);
    expect(text).toMatch(/1 0 obj\n<< \/Type \/Catalog \/Pages 2 0 R >>\nendobj/);
    expect(text).toMatch(/2 0 obj\n<< \/Type \/Pages \/Kids \[3 0 R\] \/Count 1 >>\nendobj/);
    expect(text).toMatch(/3 0 obj\n<< \/Type \/Page \/Parent 2 0 R \/MediaBox \[0 0 612 792\] >>\nendobj/);
  });
});

describe("the empty page as TIFF (TIFF 6.0, section 4)", () => {
  const read = () => {
    const view = new DataView(emptyPage("image/tiff").buffer);
    const at = view.getUint32(4, true);
    return { view, at, entries: Array.from({ length: view.getUint16(at, true) }, (_, i) => at + 2 + 12 * i) };
  };

  it("the TIFF is little-endian, with one sorted directory at the end of the file", () => {
    const { view, at, entries } = read();
    expect([view.getUint16(0), view.getUint16(2, true)]).toEqual([0x4949, 42]);
    const tags = entries.map((entry) => view.getUint16(entry, true));
    expect(tags).toEqual([...tags].sort((a, b) => a - b));
    const end = at + 2 + 12 * entries.length;
    expect([view.getUint32(end, true), view.byteLength]).toEqual([0, end + 4]);
  });

  it("the TIFF has the fields of a white bilevel image whose strip is inside the file", () => {
    const { view, at, entries } = read();
    const readField = (entry: number) => {
      const value = entry + 8;
      return view.getUint16(entry + 2, true) === 3 ? view.getUint16(value, true) : view.getUint32(value, true);
    };
    expect(entries.map((entry) => view.getUint32(entry + 4, true))).toEqual(entries.map(() => 1));
    const fields = new Map(entries.map((entry) => [view.getUint16(entry, true), readField(entry)]));
    const [WIDTH, LENGTH, COMPRESSION, PHOTOMETRIC, OFFSET, ROWS, BYTES] = [256, 257, 259, 262, 273, 278, 279];
    const image = [WIDTH, LENGTH, ROWS, COMPRESSION, PHOTOMETRIC, BYTES].map((tag) => fields.get(tag!));
    expect(image).toEqual([8, 1, 1, 1, 0, 1]);
    expect(view.getUint8(fields.get(OFFSET!)!)).toBe(0); // white
    expect(fields.get(OFFSET!)).toBeLessThan(at);
  });
});
