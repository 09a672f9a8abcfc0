// The pages of the guide, and the fenced blocks in them.

import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Block {
  /** The first word after the fence: `ts`, `sql`, `json`, `console`. */
  language: string;
  /** The second: the file that the block shows. */
  file: string | undefined;
  text: string;
  /** The line of its fence. */
  line: number;
}

export interface Page {
  file: string;
  text: string;
  blocks: Block[];
}

export function readPages(): Page[] {
  return globSync("docs/guide/*.md", { cwd: root })
    .toSorted()
    .map((file) => {
      const text = readFileSync(root + file, "utf8");
      return { file, text, blocks: blocksOf(text) };
    });
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (!line.startsWith("```")) {
      if (open !== undefined) open.text += `${line}\n`;
    } else if (open === undefined) {
      const [language = "", file] = line.slice(3).trim().split(/\s+/);
      open = { language, file, text: "", line: index + 1 };
    } else {
      blocks.push(open);
      open = undefined;
    }
  }
  return blocks;
}

/** The parts of an excerpt, which lines of `// ...` or `-- ...` stand between; one part when all is shown. */
export function partsOf(text: string): string[] {
  return text
    .split(/^ *(?:\/\/|--) \.\.\.\n/m)
    .map((part) => part.replace(/^\n+/, "").trimEnd())
    .filter((part) => part !== "");
}

/** Whether a file consists of exactly this text, or has the parts of an excerpt in this order. */
export function isShownBy(file: string, shown: string): boolean {
  const parts = partsOf(shown);
  if (parts.length === 1 && !/^ *(?:\/\/|--) \.\.\.$/m.test(shown)) return file === shown;
  let from = 0;
  return parts.every((part) => {
    const at = `\n${file}`.indexOf(`\n${part}\n`, from);
    from = at + part.length;
    return at >= 0;
  });
}
