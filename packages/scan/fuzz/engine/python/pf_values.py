"""Inputs by JSON Schema and their mutations; equal seeds give equal ones."""

LONGEST = 1 << 15
WORDS = ["", "a", "0", "1", "-1", "true", "null", "[]", "{}", "a=b", "a.b", "a,b", "a b", "a/b", "\u00e9", "\x00", "x" * 40]
NUMBERS = [0, 1, -1, 2, 7, 8, 16, 31, 64, 100, 127, 255, 256, 1000, 4096, 65535, 65536, 2**31 - 1, -(2**31), 2**32]
NEST = ["(", "[", "{", '{"a":', "<a>", "-", "a.", "a/", " ", "\t", "\n", "0", "a", "a ", ",", "\\", "not "]


class Values:
    def __init__(self, random, words, pumps):
        self.random = random
        self.words = list(words)
        self.pumps = pumps
        self.pumped = None

    def generate(self, schema, depth=0):
        r = self.random
        schema = schema if isinstance(schema, dict) else {}
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.generate(r.choice(schema[key]), depth)
        if schema.get("enum"):
            return r.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = r.choice(kind)
        if kind in ("integer", "number"):
            value = r.choice(NUMBERS)
            value = max(value, schema.get("minimum", value))
            return min(value, schema.get("maximum", value))
        if kind == "boolean":
            return r.random() < 0.5
        if kind == "null":
            return None
        if kind == "array":
            return [self.generate(schema.get("items"), depth + 1) for _ in range(r.randrange(4) if depth < 5 else 0)]
        if kind == "object":
            own = schema.get("properties") or {}
            value = {k: self.generate(v, depth + 1) for k, v in own.items() if k in schema.get("required", []) or (depth < 5 and r.random() < 0.6)}
            if not own and depth < 5:
                for _ in range(r.randrange(3)):
                    value[self.word()] = self.generate({}, depth + 1)
            return value
        word = self.word()
        return {"$bytes": word} if kind == "bytes" else word

    def word(self):
        r = self.random
        return r.choice(self.words) if self.words and r.random() < 0.4 else r.choice(WORDS)

    def arguments(self, args, schemas, pairs):
        self.pumped = None
        args = list(args)
        if schemas:
            at = self.random.randrange(len(schemas))
            args[at] = self.value(args[at], schemas[at], pairs, [at])
        return args

    def value(self, value, schema, pairs, path):
        r = self.random
        schema = schema if isinstance(schema, dict) else {}
        if r.random() < 0.08 or schema.get("enum") or "const" in schema:
            return self.generate(schema)
        if isinstance(value, str):
            return self.text(value, pairs, path)
        if isinstance(value, bool) or value is None:
            return self.generate(schema)
        if isinstance(value, (int, float)):
            pair = r.choice(pairs) if pairs and r.random() < 0.5 else None
            value = pair[1] + r.randrange(3) - 1 if pair and isinstance(pair[1], (int, float)) else r.choice([value + r.randrange(33) - 16, value * 2, -value, r.choice(NUMBERS)])
            value = max(value, schema.get("minimum", value))
            return min(value, schema.get("maximum", value))
        if isinstance(value, list):
            if not value or r.random() < 0.3:
                return [*value[:64], self.generate(schema.get("items"))]
            at = r.randrange(len(value))
            return [*value[:at], self.value(value[at], schema.get("items"), pairs, [*path, at]), *value[at + 1 :]] if r.random() < 0.8 else value[:at] + value[at + 1 :]
        if isinstance(value, dict):
            if "$bytes" in value:
                return {"$bytes": self.text(value["$bytes"], pairs, [*path, "$bytes"])}
            if not value or r.random() < 0.2:
                return self.generate(schema or {"type": "object"})
            key = r.choice(list(value))
            return {**value, key: self.value(value[key], (schema.get("properties") or {}).get(key), pairs, [*path, key])}
        return self.generate(schema)

    def text(self, s, pairs, path):
        r = self.random
        if r.random() < 0.04:
            pump = r.choice(self.pumps) if self.pumps and r.random() < 0.5 else {"prefix": "", "unit": r.choice(NEST) if not s or r.random() < 0.5 else s[r.randrange(len(s)) :][:3], "suffix": r.choice(["", "!", "\n"])}
            times = max(1, min(LONGEST // len(pump["unit"]), 8 << r.randrange(12 if r.random() < 0.15 else 6)))
            self.pumped = {**pump, "times": times, "path": path}
            return pump["prefix"] + pump["unit"] * times + pump["suffix"]
        for _ in range(1 << r.randrange(4)):
            at = r.randrange(len(s) + 1)
            kind = r.randrange(9)
            if kind == 0:
                s = s[:at] + chr(32 + r.randrange(95)) + s[at:]
            elif kind == 1:
                s = s[:at] + chr(32 + r.randrange(95)) + s[at + 1 :]
            elif kind == 2:
                s = s[:at] + s[at + 1 + r.randrange(8) :]
            elif kind == 3:
                s = s[:at] + s[r.randrange(at + 1) : at] + s[at:]
            elif kind <= 5 and self.words:
                s = s[:at] + r.choice(self.words) + s[at:]
            elif kind == 6 and self.words:
                word = r.choice(self.words)
                s = word + s[len(word) :]
            elif pairs:
                s = self.towards(s, *r.choice(pairs))
        return s[:LONGEST]

    def towards(self, s, a, b):
        r = self.random
        if not isinstance(a, str):
            if a == len(s) and 0 <= b < 4096:
                return s.ljust(int(b) + r.randrange(3) - 1, "a")
            code = 0 < a < 0x110000 and 0 < b < 0x110000 and a == int(a) and b == int(b)
            if code and chr(int(a)) in s:
                return s.replace(chr(int(a)), chr(int(b)), 1)
            return s.replace(str(a), str(b), 1) if str(a) in s else s + str(b)
        if a and a in s:
            places = [at for at in range(min(len(s), 512)) if s.startswith(a, at)]
            at = r.choice(places) if places else 0
            return s[:at] + b + s[at + len(a) :]
        at = r.randrange(len(s) + 1)
        return s[:at] + b + s[at + (len(b) if r.random() < 0.5 else 0) :]
