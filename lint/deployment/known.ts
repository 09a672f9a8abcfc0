// What the files of a deployment must agree with: the topology of the store, and its settings.

import { databaseVariable } from "../../kernel/runtime/index.ts";
import store from "../../store/main.ts";
import { topologies } from "../../store/topology.ts";
import type { Finding } from "../finding.ts";

export type Environment = Readonly<Record<string, string>>;

/** The processes that a deployment has. */
export const processes = Object.keys(topologies.split);
export const gateway = processes.find((name) => topologies.split[name]!.gateway)!;
export const healthPaths = { live: "/health/live", ready: "/health/ready" };
export const commandOf = (process: string) => ["start", "--topology", "split", "--process", process];

export function databasesOf(process: string): string[] {
  return store.definition.contracts
    .filter(({ name }) => topologies.split[process]!.services.includes(name))
    .map(({ database }) => databaseVariable(database));
}

/** Settings whose values hold a password. */
export function isSecret(variable: string): boolean {
  return /_DATABASE_URL$|^(NATS|REDIS|SMTP)_URL$/.test(variable);
}

/** What `ashlar start` in production would say to these settings, and what `ashlar config` does not know. */
export function settingMistakes(environment: Environment): string[] {
  const unknown = Object.keys(environment)
    .filter((name) => !Object.hasOwn(store.variables, name))
    .map((name) => `\`ashlar config\` knows no ${name}`);
  try {
    store.readSettings({ ...environment, NODE_ENV: "production" });
    return unknown;
  } catch (error) {
    return [...unknown, (error as Error).message];
  }
}

/** An image by its version; `latest`, said or not, is another one tomorrow. */
export function isPinned(image: string): boolean {
  return /:[\w.-]*\d[\w.-]*$/.test(image);
}

/** Collects what is wrong of a document. */
export function createReport(document: string): {
  findings: Finding[];
  require(ok: boolean, place: string, message: string): void;
} {
  const findings: Finding[] = [];
  return {
    findings,
    require(ok, place, message) {
      if (!ok) findings.push({ document, place, rule: "ashlar", message });
    },
  };
}
