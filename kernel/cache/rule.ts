/** How long something is kept, and what it depends on. */
export interface CacheRule {
  /** What a write names to make it worthless. Known before it is read: a commit during the reading must be noticed. */
  tags: readonly string[];
  ttlMs: number;
  /** Beyond `ttlMs` it is served for so long while one read renews it; never once a tag was invalidated. Default: 0. */
  staleMs?: number;
  /** How long it is kept that there is nothing. Default: not at all. */
  negativeMs?: number;
}

/** It is served for `freshMs`, and by who renews it for `staleMs` more. */
export interface Life {
  readonly freshMs: number;
  readonly staleMs: number;
}

/** How long a value is kept; undefined for nothing that is not to be kept. */
export function lifeOf({ ttlMs, staleMs = 0, negativeMs = 0 }: CacheRule, json: string | undefined): Life | undefined {
  if (json !== undefined) return { freshMs: ttlMs, staleMs };
  return negativeMs > 0 ? { freshMs: negativeMs, staleMs: 0 } : undefined;
}
