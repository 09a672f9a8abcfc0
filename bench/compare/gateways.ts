// The targets of W5: what stands in front, on the core of servers; what it hands on to, on that of the load.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { typeIdOf, uuidOf } from "./data.ts";
import { installPeer } from "./peers.ts";
import { exists, freePorts, start, type Started } from "./processes.ts";
import { haproxySecret, runHaproxy, runNginx } from "./proxies.ts";
import { cli, node, type Place, root, type Running, settings, type Target, untilUp } from "./targets.ts";
import { peerKey, peerTokens, sharedSecretTokens, storeTokens } from "./tokens.ts";

interface Front {
  started: Started;
  port: number;
  health?: string;
  running: Pick<Running, "tokens" | "idOf" | "checksTokens">;
  /** What runs beside it, to be ended after it. */
  beside: Started[];
}

export const gateways: readonly Target[] = [
  gateway("gateway", "the gateway of this project, alone", startGateway),
  gateway("http-proxy", "Fastify with @fastify/http-proxy, jose; each token is verified", (upstream, _folder, place) =>
    startHttpProxy(upstream, place, "http-proxy", {}),
  ),
  gateway("http-proxy-memo", "the same, which remembers the tokens it verified", (upstream, _folder, place) =>
    startHttpProxy(upstream, place, "http-proxy-memo", { REMEMBER_TOKENS: "yes" }),
  ),
  gateway("haproxy", "HAProxy, which verifies HS256, counts and tells the limit", startHaproxy, "haproxy"),
  gateway("nginx", "nginx, which checks no token and counts nothing", startNginx, "nginx"),
];

function gateway(
  name: string,
  about: string,
  startFront: (upstream: string, folder: string, place: Place) => Promise<Front>,
  needs?: string,
): Target {
  return {
    name,
    ...(needs !== undefined && { needs }),
    about,
    works: ["W5"],
    async start(_work, place) {
      const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
      const { upstream, url: upstreamUrl } = await startUpstream(folder, place.loadCore);
      const front = await startFront(upstreamUrl, folder, place);
      const { url, tookMs } = await untilUp(front.started, front.port, front.health);
      return {
        url,
        pid: front.started.pid,
        startedMs: tookMs,
        ...front.running,
        settled: async () => {},
        async stop() {
          for (const one of [front.started, ...front.beside, upstream]) await one.stop();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

const users = new Map<Cluster, string>();

/** Identity runs beside it, since no process serves before it has heard which tokens were ended. */
async function startGateway(upstream: string, folder: string, place: Place): Promise<Front> {
  const { cluster, serverCore, loadCore } = place;
  if (!users.has(cluster)) users.set(cluster, await cluster.copy("users", "gateway_users"));
  const tokens = await storeTokens(folder);
  const port = await freePorts(2);
  const shared = {
    ...settings,
    ASHLAR_DATA: folder,
    USERS_DATABASE_URL: users.get(cluster)!,
    IDENTITY_URL: `http://127.0.0.1:${port + 1}`,
    CATALOG_URL: upstream,
    ORDERS_URL: upstream,
  };
  const run = (name: string, core: number, at: number, program: readonly string[]) =>
    start([...program, cli, "start", "--topology", "split", "--process", name], {
      core,
      directory: root,
      environment: { ...shared, PORT: String(at) },
    });
  const identity = run("identity", loadCore, port + 1, [process.execPath]);
  await untilUp(identity, port + 1, "/health/live");
  const started = run("gateway", serverCore, port, node("gateway", "W5", place));
  return { started, port, health: "/health/live", running: { tokens, idOf: typeIdOf }, beside: [identity] };
}

async function startHttpProxy(
  upstream: string,
  place: Place,
  name: string,
  remember: Record<string, string>,
): Promise<Front> {
  const directory = await installPeer("http-proxy");
  const port = await freePorts(1);
  const known = { PORT: String(port), UPSTREAM_URL: upstream, TOKEN_JWK: peerKey, NODE_ENV: "production" };
  const started = start([...node(name, "W5", place), "server.js"], {
    core: place.serverCore,
    directory,
    environment: { ...known, ...remember },
  });
  return { started, port, running: { tokens: peerTokens(), idOf: uuidOf }, beside: [] };
}

async function startHaproxy(upstream: string, folder: string, { serverCore }: Place): Promise<Front> {
  const port = await freePorts(1);
  const started = await runHaproxy({ folder, port, core: serverCore }, upstream);
  return { started, port, running: { tokens: sharedSecretTokens(haproxySecret), idOf: uuidOf }, beside: [] };
}

async function startNginx(upstream: string, folder: string, { serverCore }: Place): Promise<Front> {
  const port = await freePorts(1);
  const started = await runNginx({ folder, port, core: serverCore }, { upstream });
  return { started, port, running: { tokens: peerTokens(), idOf: uuidOf, checksTokens: false }, beside: [] };
}

const answer = JSON.stringify({ id: "1", text: "x".repeat(280) });

/** What answers behind shares its core with the load: where nginx is installed that answers, since node would be the limit. */
async function startUpstream(folder: string, core: number): Promise<{ upstream: Started; url: string }> {
  const port = await freePorts(1);
  const upstream = exists("nginx")
    ? await runNginx({ folder, port, core }, { answer })
    : start([process.execPath, "server.js"], {
        core,
        environment: { PORT: String(port), ANSWER: answer },
        directory: await installPeer("upstream"),
      });
  const { url } = await untilUp(upstream, port);
  return { upstream, url };
}
