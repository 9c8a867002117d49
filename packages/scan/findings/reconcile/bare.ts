/** Code without what a formatter changes: white space, the kind of quotes, commas before a closing bracket, semicolons. */
export function bare(code: string): string {
  return code
    .replace(/\s+/g, "")
    .replace(/['`]/g, '"')
    .replace(/,(?=[)\]}])/g, "")
    .replace(/;/g, "");
}
