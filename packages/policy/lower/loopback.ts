/** Whether the address is there in every sandbox. */
export const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

/** What an empty network still has. */
export const reachesLoopback = (cidr: string | null): boolean => cidr === null || /^(127\.|0\.0\.0\.0\/|::1\/|::\/|[0-9.]+\/[0-7]$)/.test(cidr);
