// What others write for the same requests, each a package of its own in bench/peers.

import type { Cluster } from "./cluster.ts";
import { uuidOf } from "./data.ts";
import { installPeer } from "./peers.ts";
import { freePorts, start } from "./processes.ts";
import { node, type Target, untilUp } from "./targets.ts";
import { peerKey, peerTokens } from "./tokens.ts";

interface Peer {
  name: string;
  about: string;
  works?: readonly string[];
  folder?: string;
  program?: string;
  environment?: Record<string, string>;
}

const usual = ["W1", "W2", "W3", "W4", "W8"];

export const services: readonly Target[] = (
  [
    { name: "expert", about: "Fastify, postgres.js, jose, by hand; each token is verified", works: [...usual, "W6"] },
    {
      name: "expert-memo",
      about: "the same, which remembers the tokens it verified",
      works: ["W1", "W2", "W3", "W4"],
      folder: "expert",
      environment: { REMEMBER_TOKENS: "yes" },
    },
    { name: "nest", about: "Nest on Fastify with TypeORM", program: "dist/main.js" },
    { name: "express", about: "Express 5 with TypeORM" },
    { name: "moleculer", about: "Moleculer with moleculer-web, pg" },
    { name: "bare", about: "node:http and pg, nothing between them" },
  ] satisfies Peer[]
).map(peer);

function peer({ name, about, works = usual, folder = name, program = "server.js", environment = {} }: Peer): Target {
  const urls = new Map<Cluster, string>();
  return {
    name,
    about,
    works,
    async start(work, place) {
      const { cluster, serverCore } = place;
      const directory = await installPeer(folder);
      if (!urls.has(cluster)) urls.set(cluster, await cluster.copy("shop", `${name}_shop`));
      const port = await freePorts(1);
      const started = start([...node(name, work, place), program], {
        core: serverCore,
        directory,
        environment: {
          PORT: String(port),
          DATABASE_URL: urls.get(cluster)!,
          TOKEN_JWK: peerKey,
          NODE_ENV: "production",
          CACHE: work === "W4" ? "on" : "off",
          ...environment,
        },
      });
      const { url, tookMs } = await untilUp(started, port);
      const { pid, stop } = started;
      // What their outboxes hold nobody delivers.
      return { url, pid, startedMs: tookMs, tokens: peerTokens(), idOf: uuidOf, settled: async () => {}, stop };
    },
  };
}
