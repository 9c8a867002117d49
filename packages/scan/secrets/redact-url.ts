/** `scheme://`, who asks, host, port, and the rest of an address. */
export const URLS = /\b([a-z][a-z0-9+.-]{1,20}:\/\/)([^\s"'`<>()\\|;,“”/@?#]{1,256}@)?([A-Za-z0-9.[\]:-]{1,260})([^\s"'`<>()\\|;“”]{0,4000})/gi;

/** What follows one of these in an address is a key, however plain it looks. */
const KEYS =
  /(\/api\/webhooks\/\d{1,24}\/|\/services\/T\w{2,20}\/B\w{2,20}\/|\/bot\d{4,12}:|[?&;](?:[\w-]{0,40}(?:signature|sig|token|key|secret|password|code|auth)[\w-]{0,20})=)([^\s&/]{6,2000})/gi;
const HIDDEN = "…";

/**
 * An address with its host to be read, whatever it is: who is told "this fetches and runs code" must see from where. The rest goes by `hide`, piece by
 * piece; where it looks like one secret over several pieces, none of it is shown. A label of the host that chance made is hidden ahead of the name that was bought.
 */
export function shownUrl(
  scheme: string,
  user: string,
  host: string,
  rest: string,
  hide: (text: string) => string,
  isSecret: (text: string) => boolean,
): string {
  const known = user === "" || user.endsWith(`${HIDDEN}@`) ? user : user.length > 13 ? `${user.slice(0, 4)}${HIDDEN}@` : user;
  return `${scheme}${known}${shownHost(host, isSecret)}${shownRest(rest, hide, isSecret)}`;
}

function shownHost(host: string, isSecret: (text: string) => boolean): string {
  const labels = host.split(".");
  const mixed = (label: string) => /[a-z]/.test(label) && /[A-Z]/.test(label) && /\d/.test(label);
  // Names are lower case and short; what is neither, and random, was carried there.
  const shown = labels.map((label, i) =>
    i < labels.length - 2 && (label.length >= 20 || (label.length >= 12 && mixed(label))) && isSecret(label) ? HIDDEN : label,
  );
  // One word alone, or one that no domain could be, is no host.
  return labels.length === 1 && host.length >= 12 && isSecret(host) ? HIDDEN : shown.join(".");
}

/** A path of which one piece is a secret is one: services put a key behind words of their own. */
function shownRest(rest: string, hide: (text: string) => string, isSecret: (text: string) => boolean): string {
  if (rest === "") return "";
  const named = rest.replace(KEYS, (_, before: string) => `${before}${HIDDEN}`);
  const cut = named.search(/[?#]/);
  const path = cut < 0 ? named : named.slice(0, cut);
  const pieces = path.split("/");
  const whole = !path.includes(HIDDEN) && pieces.every((piece) => hide(piece) === piece) && !(path.length >= 30 && /[A-Z]/.test(path) && isSecret(path));
  const query =
    cut < 0
      ? ""
      : named
          .slice(cut)
          .split(/(?<=[?&#])/)
          .map(hide)
          .join("");
  return `${whole ? path : `/${HIDDEN}`}${query}`;
}
