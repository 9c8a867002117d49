/** YAML or JSON text from anyone → data, with the place of every value, so that whoever wrote it is told where. */
export { entriesOf } from "./issues.ts";
export { nearest, suggestion } from "./nearest.ts";
export { parseAs } from "./parse.ts";
export { member, pathOf } from "./path.ts";
export {
  type DocumentKind,
  type Invalid,
  inOrder,
  invalidBy,
  MAX_DOCUMENT_BYTES,
  type Position,
  type ProblemEntry,
  readDocument,
  type SourceDocument,
} from "./read.ts";
