/** What a linter has to say about a place in a document. */
export interface Finding {
  /** `store/services/orders/openapi.json`, or `the store's openapi.json`. */
  document: string;
  /** `paths./v1/orders.get`. */
  place: string;
  /** `spectral/operation-tags`. */
  rule: string;
  message: string;
}

export interface LintedDocument {
  name: string;
  kind: "openapi" | "asyncapi";
  text: string;
}
