"use strict";
/** Values by JSON Schema (and `bytes`, `function`): valid ones, those at a boundary, and of a wrong type where the harness allows them. */
const WORDS = [
  "",
  "a",
  "0",
  "1",
  "-1",
  "true",
  "null",
  "[]",
  "{}",
  '""',
  "a=b",
  "a.b",
  "a,b",
  "a b",
  "a/b",
  "é",
  "\u0000",
  "\ud83d\ude00",
  "x".repeat(40),
  "2024-01-01",
];
const NUMBERS = [0, 1, -1, 2, 7, 8, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 1024, 4096, 65535, 65536, 2147483647, -2147483648, 4294967296];
const FLOATS = [0.5, -0.5, 1e21, 1e-7, Number.MAX_SAFE_INTEGER];
const KEYS = ["__proto__", "constructor", "prototype", "a", "b", "id", "name", "key", "value", "type", "length", "toString"];
const FORMATS = {
  date: ["2024-01-01"],
  "date-time": ["2024-01-01T00:00:00Z"],
  email: ["a@b.example"],
  uri: ["https://a.example/b?c=d"],
  ipv4: ["127.0.0.1"],
  uuid: ["00000000-0000-4000-8000-000000000000"],
};
const DEEPEST = 5;
const MOST_KEYS = 64;

/** As a value of JSON that comes back as what it was: strings of any kind, bytes, functions. */
function typeOf(schema) {
  if (schema === null || typeof schema !== "object") return "any";
  if (Array.isArray(schema.type)) return schema.type[0] ?? "any";
  if (typeof schema.type === "string") return schema.type;
  return schema.properties ? "object" : schema.items ? "array" : "any";
}

function choose(given, random) {
  const schema = given !== null && typeof given === "object" ? given : {};
  const options = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(options) && options.length > 0) return choose(random.of(options), random);
  if (Array.isArray(schema.allOf) && schema.allOf.length > 0) return { ...schema, ...Object.assign({}, ...schema.allOf), allOf: undefined };
  if (Array.isArray(schema.type) && schema.type.length > 0) return { ...schema, type: random.of(schema.type) };
  return schema;
}

function generate(given, random, words, depth = 0) {
  const schema = choose(given, random);
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return random.of(schema.enum);
  if ("const" in schema) return schema.const;
  if ("default" in schema && random.once(4)) return schema.default;
  switch (typeOf(schema)) {
    case "string":
      return text(schema, random, words);
    case "integer":
    case "number":
      return number(schema, random);
    case "boolean":
      return random.once(2);
    case "null":
      return null;
    case "array": {
      const least = schema.minItems ?? 0;
      const count = depth > DEEPEST ? least : Math.min(least + random.below(5), schema.maxItems ?? 64);
      return Array.from({ length: count }, () => generate(schema.items ?? {}, random, words, depth + 1));
    }
    case "object":
      return object(schema, random, words, depth);
    case "bytes":
      return { $bytes: text({}, random, words) };
    case "function":
      return { $function: 1 };
    default:
      return depth > DEEPEST || random.below(8) < 6
        ? text({}, random, words)
        : generate({ type: random.of(["number", "boolean", "null", "array", "object"]) }, random, words, depth + 1);
  }
}

function text(schema, random, words) {
  const format = FORMATS[schema.format];
  let value = format && random.below(4) > 0 ? random.of(format) : random.once(3) && words.length > 0 ? random.of(words) : random.of(WORDS);
  const least = schema.minLength ?? 0;
  if (value.length < least) value += "a".repeat(Math.min(least - value.length, 4096));
  return schema.maxLength === undefined ? value : value.slice(0, schema.maxLength);
}

function number(schema, random) {
  const { minimum: low, maximum: high } = schema;
  let value = low !== undefined && random.once(4) ? low : high !== undefined && random.once(4) ? high : random.of(NUMBERS);
  if (schema.type !== "integer" && random.once(6)) value = random.of(FLOATS);
  if (low !== undefined && value < low) value = low;
  if (high !== undefined && value > high) value = high;
  return value;
}

function object(schema, random, words, depth) {
  const value = {};
  const own = schema.properties ?? {};
  const required = new Set(schema.required ?? []);
  for (const key of Object.keys(own).slice(0, MOST_KEYS))
    if (required.has(key) || (depth <= DEEPEST && !random.once(3))) put(value, key, generate(own[key], random, words, depth + 1));
  const open = schema.additionalProperties !== false && (Object.keys(own).length === 0 || random.once(8));
  if (open && depth <= DEEPEST)
    for (let left = random.below(4); left > 0; left--) {
      const inner = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
      const key = random.once(2) && words.length > 0 ? random.of(words) : random.of(KEYS);
      const nested = key === "__proto__" || key === "constructor" || key === "prototype";
      put(value, key, nested ? { [random.once(2) ? "prototype" : "pfzq7"]: { pfzq7: 1 } } : generate(inner, random, words, depth + 1));
    }
  return value;
}

/** `__proto__` becomes a property as JSON.parse makes it one. */
function put(value, key, inner) {
  Object.defineProperty(value, key, { value: inner, enumerable: true, configurable: true, writable: true });
}

module.exports = { generate, typeOf, choose, put, KEYS, NUMBERS, FLOATS };
