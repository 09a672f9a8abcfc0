import { parseArgs } from "node:util";
import { sizes } from "./data.ts";

export interface Arguments {
  works: readonly string[] | undefined;
  targets: readonly string[] | undefined;
  connections: readonly number[];
  seconds: number;
  warmUpSeconds: number;
  rounds: number;
  size: string;
  output: string | undefined;
  chart: string | undefined;
  profile: string | undefined;
}

export const usage = `npm run bench [-- OPTIONS]

  --only W1,W4            the works; all of them when left out
  --targets single,expert the targets; all of them when left out
  --connections 4,16,64   at a time; 16
  --seconds 5             of each round
  --rounds 3              of each target, in turns; the median counts
  --warm-up 3             seconds before the first round
  --size full|small       a million orders, or 40,000
  --output FOLDER         where results.md and results.json are written; standard output gets the Markdown either way
  --chart FILE            where a drawing of the ratios to the expert is written, as SVG
  --profile FOLDER        where node writes what took the time of each target; it is told, too`;

export function readArguments(words: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: "string" },
      targets: { type: "string" },
      connections: { type: "string", default: "16" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      "warm-up": { type: "string", default: "3" },
      size: { type: "string", default: "full" },
      output: { type: "string" },
      chart: { type: "string" },
      profile: { type: "string" },
    },
  });
  if (sizes[values.size] === undefined) throw new Error(`--size is one of ${Object.keys(sizes).join(", ")}`);
  // "ashlar" is what people call it; here it is what it runs as.
  const targets = values.targets?.split(",").flatMap((name) => (name === "ashlar" ? ["single"] : [name]));
  return {
    works: values.only?.split(","),
    targets,
    connections: values.connections.split(",").map((text) => whole("connections", text)),
    seconds: whole("seconds", values.seconds),
    warmUpSeconds: whole("warm-up", values["warm-up"]),
    rounds: whole("rounds", values.rounds),
    size: values.size,
    output: values.output,
    chart: values.chart,
    profile: values.profile,
  };
}

export function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes whole numbers from 1, not "${text}"`);
  return Number(text);
}

/** Those that were asked for; an unknown name is a mistake rather than nothing. */
export function chosen<T extends { name: string }>(all: readonly T[], asked: readonly string[] | undefined): T[] {
  const names = all.map(({ name }) => name);
  const unknown = (asked ?? []).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(", ")}. There are ${names.join(", ")}.`);
  return all.filter(({ name }) => asked === undefined || asked.includes(name));
}
