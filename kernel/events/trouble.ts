import type { Logger } from "../base/index.ts";

/** Logs that something fails when it begins and when it is over, not at every try in between. */
export interface Trouble {
  /** How many failures in a row; 0 when all is well. */
  readonly failures: number;
  failed(error: unknown): void;
  over(): void;
}

export function createTrouble(log: Logger, doing: string): Trouble {
  let failures = 0;
  return {
    get failures() {
      return failures;
    },
    failed(error) {
      if (failures === 0) log.warn({ err: error }, `${doing} fails; trying again until it works`);
      failures += 1;
    },
    over() {
      if (failures > 0) log.info({ failures }, `${doing} works again`);
      failures = 0;
    },
  };
}
