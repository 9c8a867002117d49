/**
 * What makes two ways to write a person one: the address where there is one, without case, without what stands behind a plus, in one normal
 * form of Unicode. `Ann <Ann+ci@Shop.example>` is `ann@shop.example`.
 */
export function personOf(text: string): string {
  const folded = text.normalize("NFKC").trim().toLowerCase();
  const address = /<([^<>\s]+@[^<>\s]+)>/.exec(folded)?.[1] ?? folded.replace(/^@/, "");
  return address.replace(/\+[^@]*@/, "@");
}

export function samePerson(a: string, b: string): boolean {
  return personOf(a) === personOf(b);
}
