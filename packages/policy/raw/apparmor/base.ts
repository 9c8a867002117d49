import type { Listed, Permission } from "../../orders/order.ts";

const files = (permissions: readonly Permission[], paths: string): Listed[] => paths.split(/\s+/).map((glob) => ({ glob, permissions }));

/** What <abstractions/base> of AppArmor 3 allows of files, where a sandbox has them: libraries, locales, clocks and what a C library asks of proc. */
export const BASE_FILES: readonly Listed[] = [
  ...files(["read", "write", "append"], "/dev/null /dev/zero /dev/full /dev/log"),
  ...files(
    ["read"],
    [
      "/dev/random /dev/urandom /etc/locale/** /etc/locale.alias /etc/localtime /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d/** /etc/ld.so.preload",
      "/usr/share/locale/** /usr/share/locale-langpack/** /usr/share/zoneinfo /usr/share/zoneinfo/** /usr/share/X11/locale/** /usr/lib/locale/**",
      "/usr/lib*/**.so* /lib*/**.so* /usr/lib*/gconv/** /usr/lib*/**/gconv/**",
      "/proc/meminfo /proc/stat /proc/cpuinfo /proc/filesystems /proc/sys/kernel/version /proc/sys/kernel/ngroups_max /proc/sys/kernel/cap_last_cap",
      "/proc/sys/vm/overcommit_memory /proc/[0-9]*/maps /proc/[0-9]*/auxv /proc/[0-9]*/status /sys/devices/system/cpu /sys/devices/system/cpu/**",
    ].join(" "),
  ),
];
