import { createHash } from "node:crypto";
import type { RedisClient } from "./redis.ts";

/** Runs a Lua script, by its hash. */
export type Script = (
  client: RedisClient,
  keys: readonly string[],
  values: readonly (string | number)[],
) => Promise<unknown>;

/** A store that was started anew has forgotten the script: running its text once tells it again. */
export function createScript(text: string): Script {
  const sha = createHash("sha1").update(text).digest("hex");
  return async (client, keys, values) => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error as Error).message.startsWith("NOSCRIPT")) throw error;
      return await client.eval(text, keys.length, ...keys, ...values);
    }
  };
}
