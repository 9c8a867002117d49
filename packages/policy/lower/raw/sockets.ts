import type { Intent } from "../../orders/order.ts";
import * as linux from "../../seccomp/constants.ts";
import { type Condition, deny, type Entry, eq, maskedEq } from "../../seccomp/profile.ts";

/** Sockets of those kinds, refused when they are made: an entry for each combination, compared on the bits that the kernel reads. */
export function socketEntries({ families, types, protocols }: Extract<Intent, { kind: "socket" }>): Entry[] {
  const any = [null];
  return (families.length > 0 ? families : any).flatMap((family) =>
    (types.length > 0 ? types : any).flatMap((type) =>
      (protocols.length > 0 ? protocols : any).map((protocol) => {
        const when: Condition[] = [
          ...(family === null ? [] : [eq(0, family)]),
          ...(type === null ? [] : [maskedEq(1, linux.SOCK_TYPE_MASK, type)]),
          ...(protocol === null ? [] : [eq(2, protocol)]),
        ];
        return deny("socket socketpair", ...when);
      }),
    ),
  );
}
