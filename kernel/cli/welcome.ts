// What `ashlar start` shows to a person.

import { relative } from "node:path";
import { styleText } from "node:util";
import type { AppSettings, SystemDefinition } from "../runtime/index.ts";

export function showHeading({ title, version }: SystemDefinition): void {
  show(`\n  ${styleText("bold", title)} ${styleText("dim", version)}\n\n`);
}

export function showProgress(message: string): void {
  show(styleText("dim", `  - ${message}\n`));
}

export interface Welcome {
  settings: AppSettings;
  url: string;
  services: readonly string[];
  embedded: boolean;
  /** Who one may be. */
  demo: readonly string[];
  root: string;
  tookMs: number;
}

export function showWelcome({ settings, services, embedded, demo: logins, root, tookMs, ...welcome }: Welcome): void {
  const { demo } = settings;
  const { dataDirectory, host, smtp } = settings.system;
  const url = visibleUrl(welcome.url);
  const inside = relative(root, dataDirectory);
  const folder = inside.startsWith("..") ? dataDirectory : inside;
  const lines: [name: string, value: string][] = [
    ["API", styleText("cyan", url)],
    ["Docs", styleText("cyan", `${url}/docs`)],
    ["Health", styleText("cyan", `${url}/health`)],
    ["Services", services.join(", ")],
    [
      "Data",
      `${folder} ${styleText("dim", embedded ? "(with its own PostgreSQL)" : "(keys; the databases are configured)")}`,
    ],
    ["Mail", smtp === undefined ? `kept; ${styleText("cyan", "npx ashlar mail")} shows it` : "sent"],
    ...logins.map((line, index): [string, string] => [index === 0 ? "Demo" : "", line]),
  ];
  show(`\n  ${styleText("green", "Ready")} in ${(tookMs / 1000).toFixed(1)} s\n\n`);
  for (const [name, value] of lines) show(`  ${styleText("bold", name.padEnd(9))} ${value}\n`);
  const warning = demoWarning(host, logins);
  if (warning !== undefined) show(styleText("yellow", `\n  ${warning}\n`));
  if (demo !== undefined && logins.length > 0) {
    show("\n  Try, in another terminal:\n");
    for (const { does, command } of demo.commands(url))
      show(`\n  ${styleText("dim", `# ${does}`)}\n${command.replaceAll(/^/gm, "  ")}\n`);
  }
  show(`\n  ${styleText("dim", "Ctrl-C stops it. What was stored stays.")}\n\n`);
}

/** What is to be said when others than this machine could use the demo logins. */
export function demoWarning(host: string, demo: readonly string[]): string | undefined {
  if (demo.length === 0 || isLoopback(host)) return undefined;
  return `Other machines can reach ${host}, and the demo passwords are known. Set NODE_ENV=production to be without demo data.`;
}

/** Where a person on this machine finds it. */
export function visibleUrl(url: string): string {
  const visible = new URL(url);
  if (isLoopback(visible.hostname) || visible.hostname === "0.0.0.0" || visible.hostname === "[::]")
    visible.hostname = "localhost";
  return visible.origin;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host === "::1" || host.startsWith("127.");
}

function show(text: string): void {
  process.stdout.write(text);
}
