/**
 * A text of blocks with an empty line between them: comments (`# …`), commands, `----`, and what came of
 * them. Returns the text with what comes of them now.
 *
 * @param run does a command and returns the lines that tell what came of it
 */
export function replay(text: string, run: (command: string) => readonly string[]): string {
  const blocks = text.trimEnd().split(/\n\n+/);
  const played = blocks.map((block) => {
    const lines = block.split('\n');
    const end = lines.indexOf('----');
    const commands = end < 0 ? lines : lines.slice(0, end);
    const isComment = (line: string) => line.startsWith('#');
    if (commands.every(isComment)) return commands.join('\n');
    const told = commands.filter((line) => !isComment(line)).flatMap((line) => run(line.trim()));
    return [...commands, '----', ...(told.length === 0 ? ['ok'] : told)].join('\n');
  });
  return `${played.join('\n\n')}\n`;
}
