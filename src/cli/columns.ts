const GAP = '  ';

/**
 * Rows under a header in columns without lines, so that `awk` and people can read them; numbers
 * stand to the right. Ends with a line feed.
 */
export function formatColumns(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, String(row[column]).length), title.length),
  );
  const isNumeric = header.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column]!;
        return isNumeric[column] ? String(cell).padStart(width) : String(cell).padEnd(width);
      })
      .join(GAP)
      .trimEnd();
  return `${[header, ...rows].map(line).join('\n')}\n`;
}
