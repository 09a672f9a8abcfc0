// The targets of W5: what stands in front, on the core of servers; what it hands on to, on that of the load.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { typeIdOf, uuidOf } from "./data.ts";
import { installPeer } from "./peers.ts";
import { exists, freePorts, start, type Started } from "./processes.ts";
import { cli, node, type Place, root, type Running, settings, type Target, untilUp } from "./targets.ts";
import { peerKey, peerTokens, storeTokens } from "./tokens.ts";

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
  gateway("http-proxy", "Fastify with @fastify/http-proxy, jose", startHttpProxy),
  gateway("nginx", "nginx, which checks no token and counts nothing", startNginx),
];

function gateway(
  name: string,
  about: string,
  startFront: (upstream: string, folder: string, place: Place) => Promise<Front>,
): Target {
  return {
    name,
    about,
    works: ["W5"],
    async start(_work, place) {
      const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
      const port = await freePorts(1);
      const directory = await installPeer("upstream");
      const environment = { PORT: String(port) };
      const upstream = start([process.execPath, "server.js"], { core: place.loadCore, environment, directory });
      const { url: upstreamUrl } = await untilUp(upstream, port);
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
  const { cluster, serverCore, loadCore, profile } = place;
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
  const started = run("gateway", serverCore, port, node("gateway", "W5", profile));
  return { started, port, health: "/health/live", running: { tokens, idOf: typeIdOf }, beside: [identity] };
}

async function startHttpProxy(upstream: string, _folder: string, { serverCore, profile }: Place): Promise<Front> {
  const directory = await installPeer("http-proxy");
  const port = await freePorts(1);
  const environment = { PORT: String(port), UPSTREAM_URL: upstream, TOKEN_JWK: peerKey, NODE_ENV: "production" };
  const program = [...node("http-proxy", "W5", profile), "server.js"];
  const started = start(program, { core: serverCore, environment, directory });
  return { started, port, running: { tokens: peerTokens(), idOf: uuidOf }, beside: [] };
}

async function startNginx(upstream: string, folder: string, { serverCore }: Place): Promise<Front> {
  if (!exists("nginx")) throw new Error("nginx is not installed");
  const port = await freePorts(1);
  const file = join(folder, "nginx.conf");
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  upstream behind { server ${new URL(upstream).host}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  const started = start(["nginx", "-c", file, "-p", folder, "-e", "stderr"], { core: serverCore });
  return { started, port, running: { tokens: peerTokens(), idOf: uuidOf, checksTokens: false }, beside: [] };
}
