// The platform as commands lend it that look at services and do not run them: no keys are made, nothing is
// hashed or signed. What mails are made of is there, for the command that shows them.

import { systemRandom } from "../base/index.ts";
import { deriveSecret, type Platform, readOrCreateSecret, type SystemSettings } from "../runtime/index.ts";

export async function createRestingPlatform(
  title: string,
  { dataDirectory, publicUrl, refusalStepMs }: SystemSettings,
): Promise<Platform> {
  const secret = await readOrCreateSecret(dataDirectory, systemRandom);
  return {
    tokens: unusable() as Platform["tokens"],
    passwords: unusable() as Platform["passwords"],
    revocations: unusable() as Platform["revocations"],
    clock: unusable() as Platform["clock"],
    title,
    publicUrl,
    refusalStepMs,
    secretFor: (purpose) => deriveSecret(secret, purpose),
  };
}

function unusable(): object {
  const refuse = () => {
    throw new Error(
      "A service uses the platform while it is made. Let it wait for its first request: this command makes services and does not run them.",
    );
  };
  return new Proxy({}, { get: () => refuse });
}
