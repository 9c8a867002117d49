/** A program's own struct sockaddr as text. What is too short or of another family is `other`. */
export function readSocketAddress(bytes: Uint8Array): { family: "inet" | "inet6" | "unix" | "other"; address: string; port: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const family = bytes.length >= 2 ? view.getUint16(0, true) : 0;
  if (family === 2 && bytes.length >= 8) return { family: "inet", address: [...bytes.subarray(4, 8)].join("."), port: view.getUint16(2) };
  if (family === 10 && bytes.length >= 24) {
    const words = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + i * 2).toString(16));
    return { family: "inet6", address: words.join(":").replace(/(^|:)0(:0)+(:|$)/, "::"), port: view.getUint16(2) };
  }
  if (family === 1) {
    const name = new TextDecoder().decode(bytes.subarray(2));
    return { family: "unix", address: name.startsWith("\0") ? `@${name.slice(1).replaceAll("\0", "")}` : name.replace(/\0.*$/s, ""), port: 0 };
  }
  return { family: "other", address: "", port: 0 };
}

export const isInternet = ({ family }: { family: string }): boolean => family === "inet" || family === "inet6";
