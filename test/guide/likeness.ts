// Whether a program printed what a page shows.
//
// White space outside of double quotes does not count, so that a page may break a line of JSON. `...`
// stands for anything, a timestamp for any timestamp. An id stands for the id that was really made: the
// first time it is taken from the answer, from then on it must be that one, in later commands too.

const idPattern = /\b[a-z][a-z_]*_[0-7][0-9a-hjkmnp-tv-z]{25}\b/;
const token = new RegExp(String.raw`(\.\.\.)|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z)|(${idPattern.source})`, "g");

export interface Likeness {
  /** The command with the real ids in the place of those on the page. */
  withRealIds(command: string): string;
  isLike(shown: string, printed: string): boolean;
}

export function createLikeness(): Likeness {
  const realIds = new Map<string, string>();
  return {
    withRealIds: (command) => command.replaceAll(new RegExp(idPattern, "g"), (id) => realIds.get(id) ?? id),
    isLike(shown, printed) {
      const { pattern, ids } = patternOf(compact(shown), realIds);
      const match = pattern.exec(compact(printed));
      if (match === null) return false;
      for (const [index, id] of ids.entries()) realIds.set(id, match.groups![`id${index}`]!);
      return true;
    },
  };
}

function patternOf(shown: string, realIds: ReadonlyMap<string, string>): { pattern: RegExp; ids: string[] } {
  const ids: string[] = [];
  let source = "";
  let end = 0;
  for (const match of shown.matchAll(token)) {
    const [text, anything, timestamp, id] = match;
    source += RegExp.escape(shown.slice(end, match.index));
    end = match.index + text.length;
    if (anything !== undefined) source += "[^]*?";
    else if (timestamp !== undefined) source += String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`;
    else if (realIds.has(id!)) source += RegExp.escape(realIds.get(id!)!);
    else if (ids.includes(id!)) source += `\\k<id${ids.indexOf(id!)}>`;
    else {
      source += `(?<id${ids.length}>${id!.slice(0, id!.lastIndexOf("_"))}_[0-7][0-9a-hjkmnp-tv-z]{25})`;
      ids.push(id!);
    }
  }
  return { pattern: new RegExp(`^${source}${RegExp.escape(shown.slice(end))}$`), ids };
}

function compact(text: string): string {
  return text.replaceAll(/("(?:[^"\\\n]|\\.)*")|\s+/g, (_, quoted?: string) => quoted ?? "");
}
