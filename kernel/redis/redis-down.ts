/** The shared store cannot be asked, or did not answer in time. Whoever asked goes on without it. */
export class RedisDown extends Error {
  override name = "RedisDown";

  constructor(options?: ErrorOptions) {
    super("The shared store is down", options);
  }
}
