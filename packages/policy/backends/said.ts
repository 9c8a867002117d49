/** What a back end cannot say of an order, or says more or less strictly. */
export interface BackendRow {
  rule: string;
  note: string;
}

/** Lines of a profile without `deny` and `audit`, and what they leave open. */
export interface Said {
  lines: string[];
  notes: string[];
}
