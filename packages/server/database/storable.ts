/** What comes of an artifact may hold what PostgreSQL's text cannot: NUL, and halves of surrogate pairs. */
export function storable<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === "string" ? inner.replaceAll("\0", "\ufffd").toWellFormed() : inner))) as Value;
}
