// The Dockerfile: by the validator that editors use, and by our own rules.

import { validate } from "dockerfile-utils";
import type { Finding } from "../finding.ts";
import { createReport, healthPaths, isPinned, settingMistakes } from "./known.ts";

export function checkDockerfile(document: string, text: string): Finding[] {
  const { findings, require } = createReport(document);
  for (const { message, range } of validate(text))
    findings.push({
      document,
      place: `line ${range.start.line + 1}`,
      rule: "dockerfile-utils",
      message: String(message),
    });
  const lines = text.replaceAll(/\\\n/g, " ").split("\n");
  const instructions = lines.flatMap((line) => {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line);
    return match === null ? [] : [{ name: match[1]!, rest: match[2]! }];
  });
  const stages = instructions.filter(({ name }) => name === "FROM").map(({ rest }) => rest.split(" ")[0]!);
  for (const image of stages) require(isPinned(image), "FROM", `${image} has no version`);
  const last = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
  const valueOf = (wanted: string) => last.findLast(({ name }) => name === wanted)?.rest;
  require(stages.length > 1, "FROM", "what builds is in what runs");
  require(/^[1-9]\d*:[1-9]\d*$/.test(valueOf("USER") ?? ""), "USER", "it runs as root, or as a user without a number");
  require(valueOf("STOPSIGNAL") === "SIGTERM", "STOPSIGNAL", "it is not asked to end by SIGTERM");
  require(valueOf("HEALTHCHECK")?.includes(healthPaths.live) ===
    true, "HEALTHCHECK", `it does not ask ${healthPaths.live}`);
  require(!last.some(({ rest }) => /\bnp[mx]\b/.test(rest)), "RUN", "what runs needs npm");
  require(valueOf("ENTRYPOINT")?.startsWith("[") === true, "ENTRYPOINT", "a shell stands between it and its signals");
  const settings = Object.fromEntries([...(valueOf("ENV") ?? "").matchAll(/(\w+)=(\S+)/g)].map(([, ...pair]) => pair));
  for (const mistake of settingMistakes(settings as Record<string, string>)) require(false, "ENV", mistake);
  return findings;
}
