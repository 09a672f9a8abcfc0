import {
  type AnyOperation,
  compileValidator,
  type Detail,
  object,
  type TSchema,
  type Validate,
} from "../contract/index.ts";

export interface CallInput {
  params: unknown;
  query: unknown;
  body: unknown;
}

const validators = new WeakMap<AnyOperation, Validate>();

/** What breaks the contract of the operation; fills in defaults. Both sides look: they may be of different versions. */
export function checkInput(operation: AnyOperation, input: CallInput): readonly Detail[] {
  let validate = validators.get(operation);
  if (validate === undefined) {
    const fields: Record<string, TSchema> = { params: object(operation.params) as TSchema, query: { type: "object" } };
    if (operation.body !== undefined) fields.body = operation.body;
    validate = compileValidator(object(fields), { defaults: true });
    validators.set(operation, validate);
  }
  return validate(input);
}
