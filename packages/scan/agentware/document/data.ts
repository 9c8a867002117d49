import { type AgentDocument, type Block, block, type Surface } from "./model.ts";
import { jsonValues, MAX_VALUES, type Value, yamlValues } from "./values.ts";

/** Keys whose text any assistant that uses the thing is given. A program's own prompts are its author's, who may say in them what he likes. */
const FOR_MODELS = /^(?:description|instructions?|llm|llm_description|model_description|description_for_model|custom_?instructions|title)$/i;
/** Data that speaks to assistants: lists of tools, plugins. */
const MODELS_DATA = /"?(?:inputSchema|input_schema|tools|mcpServers|llm|llm_description|description_for_model|allowed-tools|allowed_tools)"?\s*:/i;

/** Blocks of a JSON or YAML file: its text values, each below the keys that lead to it. Null where it could not be read as such. */
export function dataBlocks(text: string, language: "json" | "yaml", path: string): AgentDocument | null {
  const values = language === "json" ? jsonValues(text) : yamlValues(text);
  if (values === null) return null;
  const models =
    MODELS_DATA.test(text.length > 200_000 ? text.slice(0, 200_000) : text) &&
    !/(?:^|\/)(?:package(?:-lock)?|tsconfig.*|composer)\.json$|openapi|swagger/i.test(path);
  const surface: Surface = models ? "agent" : "program";
  const degraded = values.length >= MAX_VALUES ? [{ reason: "too_many", detail: `more than ${MAX_VALUES} values: the rest was not read` }] : [];
  return { surface, blocks: values.map((value) => valueBlock(text, value, models)), degraded };
}

export function valueBlock(text: string, { path, text: value, start, end }: Value, models: boolean): Block {
  const raw = text.slice(start, end);
  const inside = value.length > 0 ? raw.indexOf(value) : -1;
  // The keys of a tool's own parameters are not the tool's.
  const isFor =
    models &&
    path.some((key) => FOR_MODELS.test(key)) &&
    !path.some((key) => /^(?:label|human|human_description|i18n|zh_Hans|ja_JP)$/.test(key) && path.includes("label"));
  const place = inside >= 0 ? { start: start + inside, exact: true } : { start, exact: false };
  return { ...block(isFor ? "description" : "value", value, place.start, isFor ? "agent" : "program", { section: path }), exact: place.exact };
}
