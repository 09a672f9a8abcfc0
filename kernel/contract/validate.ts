// Validators, compiled by Ajv from the schemas of the contract: each when it is first asked, since compiling all of them
// was half of a start and a tenth of an idle process. That they can be compiled is seen at once.

import AjvModule, { type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import { toMinorUnits } from "../base/index.ts";
import type { Detail } from "./errors.ts";
import { checkSchema } from "./check-schema.ts";
import { schemaOf, type TSchema } from "./schema.ts";

// Both packages are CommonJS with a default export inside the default export.
const Ajv = AjvModule.default;
const addFormats = addFormatsModule.default;

/** Every reason why a value is refused, with the path the client sent; empty when it is accepted. */
export type Validate = (value: unknown) => Detail[];

const maxDetails = 100;
/** All mistakes are looked for, so the pattern would also run over a text that is too long already. */
const maxEmailLength = 254;
const currencies = new Set(Intl.supportedValuesOf("currency"));

/**
 * A validator, compiled at its first value; a schema that cannot be compiled is an error here. With `defaults`,
 * properties that were left out are filled in, in place. All errors are collected, not the first only, up to a hundred.
 */
export function compileValidator(schema: TSchema, options: { defaults?: boolean } = {}): Validate {
  const ajv = options.defaults ? filling : checking;
  checkSchema(ajv, schemaOf(schema));
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= ajv.compile(schema);
    return validate(value) ? [] : detailsOf(validate);
  };
}

const checking = createAjv(false);
const filling = createAjv(true);

function createAjv(useDefaults: boolean) {
  const ajv = new Ajv({
    strict: true,
    allErrors: true,
    useDefaults,
    allowUnionTypes: true,
    ownProperties: true,
    verbose: false,
    // `checkSchema` has looked; the schema of schemas alone takes longer to compile than one of ours.
    validateSchema: false,
  });
  addFormats(ajv, { mode: "full", formats: ["email"] });
  const emailPattern = ajv.formats["email"] as RegExp;
  ajv.addFormat("email", {
    type: "string",
    validate: (text: string) => text.length <= maxEmailLength && emailPattern.test(text),
  });
  ajv.addFormat("date", { type: "string", validate: isDay });
  ajv.addFormat("date-time", { type: "string", validate: isMoment });
  ajv.addFormat("money", { type: "number", validate: (value: number) => toMinorUnits(value) !== undefined });
  ajv.addFormat("currency", { type: "string", validate: (value: string) => currencies.has(value) });
  ajv.addVocabulary(["x-id-prefix", "x-optional"]);
  return ajv;
}

// Stricter than the formats of ajv-formats, which let pass what the database refuses or rounds (the year
// 0, a leap second, a seventh decimal, an offset of a day) and what is no RFC 3339 (a space for the T).
const momentPattern = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$/;
const firstMs = Date.parse("0001-01-01T00:00:00Z");
const lastMs = Date.parse("9999-12-31T23:59:59.999Z");

/** A day of the calendar, from the year 1. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text < "0001") return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  // Date.parse takes 30 February for 2 March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** A moment whose year in UTC has four digits, to the microsecond. */
function isMoment(text: string): boolean {
  const match = momentPattern.exec(text);
  if (match === null || !isDay(match[1]!)) return false;
  const ms = Date.parse(text);
  return ms >= firstMs && ms <= lastMs;
}

function detailsOf(validate: ValidateFunction): Detail[] {
  const details = new Map<string, Detail>();
  for (const error of validate.errors ?? []) {
    const detail = { field: fieldOf(error), message: messageOf(error) };
    if (!details.has(detail.field)) details.set(detail.field, detail);
    if (details.size === maxDetails) break;
  }
  return [...details.values()];
}

/** `/items/0/quantity` becomes `items[0].quantity`; the body itself is named `body`. */
function fieldOf(error: ErrorObject): string {
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const names = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = params.missingProperty ?? params.additionalProperty;
  if (last !== undefined) names.push(last);
  const path = names.reduce(
    (field, name) => (/^\d+$/.test(name) ? `${field}[${name}]` : field === "" ? name : `${field}.${name}`),
    "",
  );
  return path === "" ? "body" : path;
}

type Say = (params: Record<string, unknown>) => string;

const sayings: Record<string, Say> = {
  required: () => "is required",
  additionalProperties: () => "is not a known property",
  type: ({ type }) => `must be ${[type].flat().map(named).join(" or ")}`,
  enum: ({ allowedValues }) => `must be ${oneOfWords(allowedValues as unknown[])}`,
  minLength: ({ limit }) => `must have at least ${limit} characters`,
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  minItems: ({ limit }) => `must have at least ${limit} items`,
  maxItems: ({ limit }) => `must have at most ${limit} items`,
  minProperties: ({ limit }) => `must have at least ${limit} properties`,
  uniqueItems: () => "must not contain the same item twice",
  format: ({ format }) => formats[String(format)] ?? `must be a valid ${format}`,
  pattern: () => "does not have the required form",
};

const formats: Record<string, string> = {
  email: "must be an email address",
  currency: "must be an ISO 4217 currency code",
  money: "must have at most two decimals",
  "date-time": "must be an RFC 3339 date and time",
  date: "must be a date like 2026-11-23",
};

function messageOf(error: ErrorObject): string {
  return sayings[error.keyword]?.(error.params) ?? error.message ?? "is not valid";
}

function named(type: unknown): string {
  return type === "null"
    ? "null"
    : type === "integer" || type === "object" || type === "array"
      ? `an ${type}`
      : `a ${type}`;
}

function oneOfWords(values: unknown[]): string {
  return values.length > 12
    ? "one of the documented values"
    : `one of ${values.map((value) => JSON.stringify(value)).join(", ")}`;
}
