// Our own rules for manifests that kustomize has rendered.

import type { Finding } from "../finding.ts";
import {
  commandOf,
  createReport,
  databasesOf,
  type Environment,
  gateway,
  healthPaths,
  isPinned,
  isSecret,
  processes,
  settingMistakes,
} from "./known.ts";
import { type Manifest, placeOf } from "./render.ts";

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string } };
}

interface Probe {
  httpGet?: { path: string };
}

interface Container {
  image: string;
  args?: readonly string[];
  env?: readonly Variable[];
  envFrom?: readonly { configMapRef?: { name: string } }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    capabilities?: { drop?: readonly string[] };
  };
}

interface Pod {
  containers: readonly Container[];
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type: string } };
}

/** Within this a process that was asked to end does. */
const endingSecondsMax = 10;

export function checkRules(document: string, manifests: readonly Manifest[]): Finding[] {
  const report = createReport(document);
  const named = (kind: string, name: string) =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name);
  for (const process of processes)
    for (const kind of ["Deployment", "Service"])
      report.require(named(kind, process) !== undefined, "", `process ${process} has no ${kind}`);
  for (const manifest of manifests) {
    const place = placeOf(manifest);
    report.require(manifest.kind !== "Secret", place, "a secret is made by whoever deploys and is not written down");
    checkExposure(manifest, report.require);
    const pod = podOf(manifest);
    if (pod === undefined) continue;
    checkPod(pod, place, report.require);
    const [container] = pod.containers as [Container];
    checkSettings(container, manifests, place, report.require);
    if (manifest.kind === "Deployment") checkProcess(manifest.metadata.name, container, place, report.require);
  }
  const denies = manifests.some(({ kind, spec }) => kind === "NetworkPolicy" && refusesAll(spec as Policy));
  report.require(denies, "", "no network policy refuses what others do not allow");
  return report.findings;
}

/** Where many run: each process is scaled, and not taken away at once. */
export function checkScaling(document: string, manifests: readonly Manifest[]): Finding[] {
  const report = createReport(document);
  for (const process of processes)
    for (const kind of ["HorizontalPodAutoscaler", "PodDisruptionBudget"])
      report.require(
        manifests.some((one) => one.kind === kind && one.metadata.name === process),
        "",
        `process ${process} has no ${kind}`,
      );
  return report.findings;
}

interface Policy {
  podSelector: object;
  policyTypes: readonly string[];
  ingress?: readonly object[];
  egress?: readonly object[];
}

function refusesAll({ podSelector, policyTypes, ingress = [], egress = [] }: Policy): boolean {
  const isOfAll = Object.keys(podSelector).length === 0 && policyTypes.join() === "Ingress,Egress";
  return isOfAll && ingress.length + egress.length === 0;
}

type Require = ReturnType<typeof createReport>["require"];

function podOf({ spec }: Manifest): Pod | undefined {
  return (spec as { template?: { spec?: Pod } } | undefined)?.template?.spec;
}

function checkExposure({ kind, metadata, spec, ...rest }: Manifest, require: Require): void {
  const place = placeOf({ kind, metadata, ...rest });
  if (kind === "Service") {
    const { type = "ClusterIP" } = spec as { type?: string };
    require(type === "ClusterIP" || metadata.name === gateway, place, "only the gateway is reached from outside");
  }
  const text = JSON.stringify(spec ?? {});
  for (const [, service] of text.matchAll(/"backend":\{"service":\{"name":"([^"]+)"/g))
    require(service === gateway, place, `only the gateway is reached from outside, and this leads to ${service}`);
  if (kind === "NetworkPolicy") {
    const { ingress = [], podSelector } = spec as { ingress?: object[]; podSelector: object };
    const fromOutside = ingress.some(
      (one) => /namespaceSelector|ipBlock/.test(JSON.stringify(one)) || !("from" in one),
    );
    const isOfGateway = JSON.stringify(podSelector) === `{"matchLabels":{"app.kubernetes.io/component":"${gateway}"}}`;
    require(!fromOutside || isOfGateway, place, "only the gateway is reached from outside");
  }
}

function checkPod(pod: Pod, place: string, require: Require): void {
  require(pod.securityContext?.runAsNonRoot === true, place, "it may run as root");
  require(pod.securityContext?.seccompProfile?.type === "RuntimeDefault", place, "it has no seccomp profile");
  const graceSeconds = pod.terminationGracePeriodSeconds ?? 30;
  require(graceSeconds > endingSecondsMax, place, `it is killed after ${graceSeconds} seconds, while it may still end`);
  require(pod.automountServiceAccountToken === false, place, "it gets a token of the cluster, which it does not need");
  for (const { image, securityContext: context, resources } of pod.containers) {
    require(isPinned(image), place, `the image ${image} has no version`);
    require(context?.readOnlyRootFilesystem === true, place, "its file system can be written to");
    require(context?.allowPrivilegeEscalation === false, place, "it may gain privileges");
    require(context?.capabilities?.drop?.includes("ALL") === true, place, "it keeps capabilities");
    const isBounded = resources?.limits?.["memory"] !== undefined && resources.requests?.["cpu"] !== undefined;
    require(isBounded, place, "it says neither what it needs nor what it may take");
  }
}

function checkProcess(process: string, container: Container, place: string, require: Require): void {
  require(processes.includes(process), place, "the topology has no such process");
  require(JSON.stringify(container.args) ===
    JSON.stringify(commandOf(process)), place, `its arguments are not ${commandOf(process).join(" ")}`);
  const { startupProbe, livenessProbe, readinessProbe } = container;
  require(startupProbe?.httpGet?.path === healthPaths.live, place, `its startup is not asked at ${healthPaths.live}`);
  require(livenessProbe?.httpGet?.path ===
    healthPaths.live, place, `whether it lives is not asked at ${healthPaths.live}`);
  require(readinessProbe?.httpGet?.path ===
    healthPaths.ready, place, `whether it is ready is not asked at ${healthPaths.ready}`);
  const databases = (container.env ?? []).map(({ name }) => name).filter((name) => name.endsWith("_DATABASE_URL"));
  const own = processes.includes(process) ? databasesOf(process) : [];
  require(databases.join() === own.join(), place, `its databases are ${databases.join()}, not ${own.join()}`);
}

/** What it is started with, as far as it is written down. */
function checkSettings(container: Container, manifests: readonly Manifest[], place: string, require: Require): void {
  const maps = new Set((container.envFrom ?? []).map(({ configMapRef }) => configMapRef?.name));
  const settings: Environment = Object.assign(
    {},
    ...manifests.filter((one) => maps.has(one.metadata.name)).map(({ data }) => data),
  );
  require(Object.keys(settings).length > 0, place, "it has no settings");
  const variables = container.env ?? [];
  const written = Object.fromEntries(
    variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
  const byReference = variables.filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined);
  for (const name of Object.keys({ ...settings, ...written }))
    require(!isSecret(name), place, `${name} holds a password, and belongs into a secret`);
  const assumed = Object.fromEntries(byReference.map(({ name }) => [name, assumedSecret(name)]));
  for (const mistake of settingMistakes({ ...settings, ...written, ...assumed })) require(false, place, mistake);
  for (const [name, url] of Object.entries(settings)) {
    const process = processes.find((one) => name === `${one.toUpperCase()}_URL`);
    require(process === undefined ||
      url === `http://${process}:3000`, place, `${name} does not lead to the service ${process}`);
  }
}

/** Something that the setting takes, in the place of what only the cluster knows. */
export function assumedSecret(name: string): string {
  const [scheme, path] = name.endsWith("_DATABASE_URL")
    ? ["postgres", "/name"]
    : [{ NATS_URL: "nats", REDIS_URL: "redis", SMTP_URL: "smtp" }[name] ?? "nothing", ""];
  return `${scheme}://user:b8Kq0v-Tz41xWm7c@host.example${path}`;
}
