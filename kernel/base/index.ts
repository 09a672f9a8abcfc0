// The ground: time, chance, ids, JSON, money and the shape of a log. Runs in a browser.
export { createManualClock, systemClock, timestamp, type Clock, type ManualClock } from "./clock.ts";
export { parseDuration } from "./durations.ts";
export { decodeId, encodeId, isId, uuidv7, uuidv7From } from "./ids.ts";
export { jsonCopy } from "./json-copy.ts";
export { canonicalJson, JsonError, parseJson, type Json } from "./json.ts";
export { lazyChild, silentLogger, type LogFields, type Logger } from "./log.ts";
export { fromMinorUnits, sumOfLines, toMinorUnits } from "./money.ts";
export { systemRandom, type Random } from "./random.ts";
export { shared } from "./shared.ts";
export { afterThisTurn } from "./turn.ts";
