import { z } from "zod";
import { fields, port, ports, selector, strings, whole, word, wordInAnyCase } from "./fields.ts";

/** Required, which raw/qualifiers.ts says in its own words: upstream's own examples have rules without. */
const qualifiers = strings.optional();

/** The raw rules of VarmorPolicy v1beta1: their shape. What they mean is checked where they are read (`raw/`). */
export const appArmorRawRules = z.array(fields({ rules: z.string(), targets: strings.optional() }));

const number = z.int({ error: "must be a whole number, -(2^53 - 1) to 2^53 - 1" });

export const syscallRawRules = z.array(
  fields({
    names: strings,
    action: z.string(),
    errnoRet: whole(0, 4095, "an error number, 0 to 4095").optional(),
    args: z
      .array(fields({ index: whole(0, 5, "the number of an argument, 0 to 5"), value: number, valueTwo: number.optional(), op: z.string() }))
      .max(32, "must be at most 32 conditions")
      .optional(),
  }),
);

const pathRule = fields({ qualifiers, pattern: z.string(), permissions: strings });

export const bpfRawRules = fields({
  files: z.array(pathRule).optional(),
  processes: z.array(pathRule).optional(),
  network: fields({
    sockets: z.array(fields({ qualifiers, domains: strings.optional(), types: strings.optional(), protocols: strings.optional() })).optional(),
    egress: fields({
      toDestinations: z.array(fields({ qualifiers, ip: z.string().optional(), cidr: z.string().optional(), ports: ports.optional() })).optional(),
      toServices: z
        .array(fields({ qualifiers, name: z.string().optional(), namespace: z.string().optional(), serviceSelector: selector.optional() }))
        .optional(),
      toPods: z.array(fields({ qualifiers, namespace: z.string().optional(), podSelector: selector, ports: ports.optional() })).optional(),
    }).optional(),
  }).optional(),
  ptrace: fields({ qualifiers, permissions: strings, strictMode: z.boolean().optional() }).optional(),
  mounts: z.array(fields({ qualifiers, sourcePattern: z.string(), fstype: z.string(), flags: strings })).optional(),
});

const httpMatch = fields({
  hosts: strings.optional(),
  ports: ports.optional(),
  paths: z.array(fields({ exact: z.string().optional(), prefix: z.string().optional() })).optional(),
  methods: strings.optional(),
});

export const networkProxyRawRules = fields({
  egress: fields({
    defaultAction: wordInAnyCase(["deny", "allow"]),
    rules: z
      .array(fields({ qualifiers, description: z.string().optional(), ip: z.string().optional(), cidr: z.string().optional(), ports: ports.optional() }))
      .optional(),
    httpRules: z.array(fields({ qualifiers, description: z.string().optional(), match: httpMatch })).optional(),
  }).optional(),
});

const profileType = word(["BehaviorModel", "Custom"]);

export const defenseInDepth = fields({
  appArmor: fields({ profileType, customProfile: z.string().optional(), appArmorRawRules: appArmorRawRules.optional() }).optional(),
  seccomp: fields({ profileType, customProfile: z.string().optional(), syscallRawRules: syscallRawRules.optional() }).optional(),
  networkProxy: networkProxyRawRules.optional(),
  allowViolations: z.boolean().optional(),
});

const text = z.string().min(1, "must not be empty");
const quantities = z.record(z.string(), z.union([z.int(), z.string()], { error: "must be a quantity: a whole number or text such as 100m" }));

export const networkProxyConfig = fields({
  mitm: fields({
    domains: strings.min(1, "must name at least one domain"),
    headerMutations: z
      .array(
        fields({
          domain: text,
          headers: z
            .array(
              fields({
                name: text,
                value: z.string().optional(),
                secretRef: fields({ name: text, key: text }).optional(),
              }),
            )
            .min(1, "must have at least one header"),
        }),
      )
      .optional(),
  }).optional(),
  proxyAdminPort: port.optional(),
  proxyPort: port.optional(),
  proxyUID: whole(0, null, "a user id, 0 or more").optional(),
  resources: fields({ limits: quantities.optional(), requests: quantities.optional() }).optional(),
});
