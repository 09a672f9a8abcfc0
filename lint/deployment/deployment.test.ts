// Whether the checks of a deployment find anything: each mistake is planted into files that are right.

import { deepEqual, ok } from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkCompose } from "./compose.ts";
import { checkDockerfile } from "./dockerfile.ts";
import { checkManifests } from "./kubernetes.ts";
import { parseManifests, type Manifest } from "./render.ts";
import { checkRules, checkScaling } from "./rules.ts";
import { checkUnits } from "./units.ts";
import type { Finding } from "../finding.ts";

const deploy = fileURLToPath(new URL("../../deploy/", import.meta.url));
const read = (file: string) => readFileSync(join(deploy, file), "utf8");
const base = (file: string) => parseManifests(read(`kubernetes/base/${file}.yaml`));
const messages = (findings: readonly Finding[]) => findings.map(({ message }) => message).join("\n");

/** The base as kustomize would render it, as far as the rules look: what processes have in common merged into each. */
function manifests(): Manifest[] {
  const common = base("process")[0]!["spec"] as Spec;
  const settings: Manifest = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings" },
    data: { LOG_LEVEL: "info", IDENTITY_URL: "http://identity:3000" },
  };
  const [processes, migrate] = [["gateway", "identity", "catalog", "orders"].flatMap(base), base("migrate")];
  for (const { kind, spec } of processes) if (kind === "Deployment") merge(spec as Spec, common);
  for (const { spec } of [...processes, ...migrate])
    for (const container of (spec as Spec).template?.spec.containers ?? [])
      container["image"] = `${String(container["image"])}:0.1.0`;
  return [settings, ...processes, ...migrate, ...base("network-policies")];
}

interface Spec {
  template?: { spec: { containers: Record<string, unknown>[]; [member: string]: unknown } };
}

function merge(spec: Spec, common: Spec): void {
  const [pod, shared] = [spec.template!.spec, structuredClone(common.template!.spec)];
  Object.assign(pod, { ...shared, containers: [{ ...shared.containers[0], ...pod.containers[0] }] });
}

const find = (all: readonly Manifest[], kind: string, name: string) =>
  all.find((one) => one.kind === kind && one.metadata.name === name)! as Manifest & {
    spec: Spec & Record<string, unknown>;
  };
const podOf = (all: readonly Manifest[], name: string) => find(all, "Deployment", name).spec.template!.spec;
const containerOf = (all: readonly Manifest[], name: string) => podOf(all, name).containers[0]!;

test("each rule for manifests finds what breaks it, and nothing where nothing does", () => {
  deepEqual(checkRules("base", manifests()), []);
  const planted: [message: RegExp, plant: (all: Manifest[]) => void][] = [
    [/process orders has no Service/, (all) => void all.splice(all.indexOf(find(all, "Service", "orders")), 1)],
    [/a secret is made by whoever deploys/, (all) => void all.push({ ...all[0]!, kind: "Secret" })],
    [/only the gateway is reached from outside/, (all) => (find(all, "Service", "orders").spec["type"] = "NodePort")],
    [/only the gateway is reached from outside/, (all) => (find(all, "NetworkPolicy", "peers").spec["ingress"] = [{}])],
    [/no network policy refuses/, (all) => void all.splice(all.indexOf(find(all, "NetworkPolicy", "nothing-else")), 1)],
    [/it may run as root/, (all) => (podOf(all, "orders")["securityContext"] = {})],
    [/it gets a token of the cluster/, (all) => (podOf(all, "orders")["automountServiceAccountToken"] = true)],
    [/killed after 10 seconds/, (all) => (podOf(all, "orders")["terminationGracePeriodSeconds"] = 10)],
    [/ashlar-store:latest has no version/, (all) => (containerOf(all, "orders")["image"] = "ashlar-store:latest")],
    [/its file system can be written to/, (all) => (containerOf(all, "orders")["securityContext"] = {})],
    [/neither what it needs nor/, (all) => (containerOf(all, "orders")["resources"] = {})],
    [/its arguments are not/, (all) => (containerOf(all, "orders")["args"] = ["start"])],
    [
      /not asked at \/health\/live/,
      (all) => (containerOf(all, "orders")["livenessProbe"] = { httpGet: { path: "/" } }),
    ],
    [/not asked at \/health\/ready/, (all) => delete containerOf(all, "orders")["readinessProbe"]],
    [/its databases are , not ORDERS_DATABASE_URL/, (all) => delete containerOf(all, "orders")["env"]],
    [/knows no LOGLEVEL/, (all) => (all[0]!["data"] = { LOGLEVEL: "info" })],
    [/LOG_LEVEL must be one of/, (all) => (all[0]!["data"] = { LOG_LEVEL: "loud" })],
    [/does not lead to the service orders/, (all) => (all[0]!["data"] = { ORDERS_URL: "http://order:3000" })],
    [/holds a password/, (all) => (all[0]!["data"] = { REDIS_URL: "redis://:b8Kq0v-Tz41xWm7c@valkey:6379" })],
  ];
  for (const [message, plant] of planted) {
    const all = manifests();
    plant(all);
    ok(message.test(messages(checkRules("base", all))), `${message}: ${messages(checkRules("base", all))}`);
  }
  ok(/process orders has no HorizontalPodAutoscaler/.test(messages(checkScaling("base", manifests()))));
});

test("a manifest is held to the schemas of Kubernetes, and a field that there is not is refused", async () => {
  const all = manifests();
  deepEqual(await checkManifests("base", all), []);
  containerOf(all, "orders")["livenessProb"] = {};
  podOf(all, "catalog")["terminationGracePeriodSeconds"] = "20";
  find(all, "Job", "migrate").kind = "Jobb";
  const found = messages(await checkManifests("base", all));
  for (const message of [/"livenessProb"' does not exist/, /terminationGracePeriodSeconds must be integer/, /Jobb/])
    ok(message.test(found), `${message}: ${found}`);
});

const replaced = (text: string, from: string | RegExp, to: string) =>
  text.replaceAll(typeof from === "string" ? from : new RegExp(from, "g"), to);

test("a compose file is held to its specification and to our rules", () => {
  const text = read("compose/compose.yaml");
  deepEqual(checkCompose("compose", text), []);
  const planted: [message: RegExp, from: string | RegExp, to: string][] = [
    [/must NOT have additional properties/, "restart: unless-stopped", "restarts: unless-stopped"],
    [/process orders has no service/, /\n {2}orders:/, "\n  order:"],
    [/its command does not start it/, '"--process", "orders"', '"--process", "catalog"'],
    [/nats: has no version|nats has no version/, /image: nats:\S+/, "image: nats"],
    [/only the gateway is reached/, "- --save", '- --save\n    ports: ["6379:6379"]\n    x-rest:\n      - a'],
    [/a password is written down/, /postgres:\/\/orders:[^@]+@/, "postgres://orders:b8Kq0v-Tz41xWm7c@"],
    [/knows no LOGLEVEL/, "LOG_LEVEL", "LOGLEVEL"],
    [/its file system can be written to/, "read_only: true\n  user", "read_only: false\n  user"],
  ];
  for (const [message, from, to] of planted) {
    const found = messages(checkCompose("compose", replaced(text, from, to)));
    ok(message.test(found), `${message}: ${found}`);
  }
});

test("a Dockerfile that runs as root, is not pinned, or needs npm where it runs is refused", () => {
  const text = read("Dockerfile");
  deepEqual(checkDockerfile("Dockerfile", text), []);
  const planted: [message: RegExp, from: string | RegExp, to: string][] = [
    [/debian:latest has no version/, /FROM debian:\S+/, "FROM debian:latest"],
    [/it runs as root/, /USER .*/, "USER root"],
    [/what runs needs npm/, 'CMD ["start"]', 'CMD ["npm", "start"]'],
    [/does not ask \/health\/live/, "/health/live", "/"],
    [/knows no ASHLAR_DATEN/, "ASHLAR_DATA=", "ASHLAR_DATEN="],
    [/a shell stands between/, /ENTRYPOINT .*/, "ENTRYPOINT node kernel/cli/ashlar.js"],
    [/Unknown instruction/i, "WORKDIR", "WORKDIRECTORY"],
  ];
  for (const [message, from, to] of planted) {
    const found = messages(checkDockerfile("Dockerfile", replaced(text, from, to)));
    ok(message.test(found), `${message}: ${found}`);
  }
});

test("units without a process, or with a setting that there is not, are refused", () => {
  const folder = mkdtempSync(join(tmpdir(), "ashlar-units-"));
  after(() => rmSync(folder, { recursive: true }));
  const planted: [message: RegExp, file: string, from: string, to: string][] = [
    [/it does not want orders/, "ashlar.target", "ashlar@orders.service", ""],
    [/it does not start --topology/, "ashlar@.service", "--process %i", ""],
    [/knows no LOGLEVEL/, "ashlar.env", "LOG_LEVEL", "LOGLEVEL"],
    [/a password is written down/, "orders.env", ":...@", ":b8Kq0v-Tz41xWm7c@"],
    [/its databases are/, "orders.env", "ORDERS_DATABASE_URL", "CATALOG_DATABASE_URL"],
  ];
  for (const [message, file, from, to] of planted) {
    cpSync(join(deploy, "systemd"), folder, { recursive: true });
    writeFileSync(join(folder, file), read(`systemd/${file}`).replaceAll(from, to));
    const found = messages(checkUnits(folder));
    ok(message.test(found), `${message}: ${found}`);
  }
});
