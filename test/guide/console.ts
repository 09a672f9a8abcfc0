// What a page shows of a terminal: commands behind `$ `, each followed by what it prints.

export interface Step {
  command: string;
  /** What it prints; empty when the page does not say. */
  output: string;
}

export function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  let isOpen = false;
  for (const line of text.trimEnd().split("\n")) {
    const last = steps.at(-1);
    if (isOpen && last !== undefined) last.command += `\n${line}`;
    else if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: "" });
    else if (last === undefined) throw new Error(`"${line}" stands before the first command. Begin it with "$ ".`);
    else last.output += `${line}\n`;
    isOpen = isUnfinished(steps.at(-1)!, isOpen || line.startsWith("$ "));
  }
  return steps;
}

/** A command goes on behind a backslash at the end of a line, and while a quote is open. */
function isUnfinished({ command }: Step, isCommand: boolean): boolean {
  return (
    isCommand && (command.endsWith("\\") || (command.replaceAll(/"[^"]*"/g, "").match(/'/g) ?? []).length % 2 === 1)
  );
}

/** The words of a simple command, as a shell makes them: quotes, line ends behind a backslash, `$NAME`. */
export function wordsOf(command: string, variables: ReadonlyMap<string, string>): string[] {
  const words: string[] = [];
  const part = /'([^']*)'|"([^"]*)"|\\\n|(\s+)|\$([A-Z_]+)|([^\s'"$\\]+)/gy;
  let word: string | undefined;
  for (let at = 0; at < command.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(command);
    if (match === null) throw new Error(`The guide's test cannot read this command: ${command}`);
    const [text, single, double, space, name, plain] = match;
    if (text === "\\\n") continue;
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const quoted = double?.replaceAll(/\$([A-Z_]+)/g, (_, inside: string) => valueOf(variables, inside));
    word =
      (word ?? "") + (single ?? quoted ?? (name === undefined ? undefined : valueOf(variables, name)) ?? plain ?? "");
  }
  return word === undefined ? words : [...words, word];
}

function valueOf(variables: ReadonlyMap<string, string>, name: string): string {
  const value = variables.get(name);
  if (value === undefined) throw new Error(`$${name} is used before the page sets it.`);
  return value;
}
