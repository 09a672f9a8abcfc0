export type LogFields = Record<string, unknown>;

/** Structured logging: fields first, then a sentence. Fields never hold secrets or bodies. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** A child that is made when it has something to say: that of a request mostly has not. */
export function lazyChild(log: Logger, fields: LogFields): Logger {
  let made: Logger | undefined;
  const child = () => (made ??= log.child(fields));
  return {
    debug: (more, message) => child().debug(more, message),
    info: (more, message) => child().info(more, message),
    warn: (more, message) => child().warn(more, message),
    error: (more, message) => child().error(more, message),
    child: (more) => child().child(more),
  };
}
