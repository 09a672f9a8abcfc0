// The platform for the command that shows mails and runs nothing: what their texts and links are made of.

import { systemRandom } from "../base/index.ts";
import {
  deriveSecret,
  type Platform,
  readOrCreateSecret,
  type SystemSettings,
  unusablePlatform,
} from "../runtime/index.ts";

export async function createRestingPlatform(
  title: string,
  { dataDirectory, publicUrl }: SystemSettings,
): Promise<Platform> {
  const secret = await readOrCreateSecret(dataDirectory, systemRandom);
  return { ...unusablePlatform, title, publicUrl, secretFor: (purpose) => deriveSecret(secret, purpose) };
}
