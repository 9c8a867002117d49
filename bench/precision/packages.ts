/**
 * What the precision of a scan is measured on: popular packages that nobody calls malicious, at exact versions, as `plastron scan` takes them. Chosen for what
 * they do that a scanner trips over: shells and programs, templates, query builders, sessions and tokens, prose for assistants, bundles. docs/reference/precision.md
 */
export type Sort = "library" | "tool" | "agent" | "mcp";

export interface Chosen {
  readonly what: string;
  readonly sort: Sort;
}

const of = (sort: Sort, ...what: string[]): Chosen[] => what.map((name) => ({ what: name, sort }));

export const PACKAGES: readonly Chosen[] = [
  // npm: frameworks, clients and libraries
  ...of("library", "npm:express@5.3.0", "npm:fastify@5.12.8", "npm:koa@3.3.0", "npm:socket.io@4.8.4", "npm:ws@8.23.0", "npm:axios@1.21.1"),
  ...of("library", "npm:lodash@4.18.1", "npm:react-dom@19.3.1", "npm:vue@3.5.45", "npm:uuid@14.0.3", "npm:semver@7.8.6", "npm:debug@4.4.3", "npm:chalk@6.0.1"),
  ...of("library", "npm:jsonwebtoken@9.0.3"),
  // npm: what is run on a developer's machine
  ...of("tool", "npm:commander@15.1.0", "npm:eslint@10.15.0", "npm:prettier@3.10.1", "npm:webpack@5.112.2"),
  // npm: models and agents
  ...of("agent", "npm:openai@7.57.0", "npm:@anthropic-ai/sdk@1.12.0", "npm:langchain@1.5.14"),
  // MCP: the protocol's own servers and SDKs, and servers that many people run
  ...of("mcp", "npm:@modelcontextprotocol/sdk@1.32.2", "npm:@modelcontextprotocol/server-filesystem@2026.8.31"),
  ...of("mcp", "npm:@modelcontextprotocol/server-everything@2026.8.31", "npm:@modelcontextprotocol/server-memory@2026.8.31"),
  ...of("mcp", "npm:@modelcontextprotocol/server-sequential-thinking@2026.8.31", "npm:@playwright/mcp@0.0.83", "npm:@upstash/context7-mcp@4.1.1"),
  ...of("mcp", "npm:firecrawl-mcp@3.26.0", "npm:@notionhq/notion-mcp-server@2.5.2", "npm:tavily-mcp@0.2.22", "npm:@browsermcp/mcp@0.1.3"),
  ...of("mcp", "npm:chrome-devtools-mcp@1.11.0", "pypi:mcp-server-fetch==2026.10.24", "pypi:mcp-server-git==2026.10.19"),
  ...of("mcp", "pypi:mcp-server-time==2026.10.19", "pypi:mcp-server-sqlite==2025.4.25", "pypi:mcp==2.3.0", "pypi:fastmcp-slim==4.1.6"),
  // Python
  ...of("library", "pypi:requests==2.34.2", "pypi:httpx==0.28.1", "pypi:flask==3.1.3", "pypi:werkzeug==3.1.9", "pypi:jinja2==3.1.6"),
  ...of("library", "pypi:django==5.2.19", "pypi:fastapi==0.165.0", "pypi:pydantic==2.14.3", "pypi:sqlalchemy==2.1.9", "pypi:pyyaml==6.0.3"),
  ...of("library", "pypi:celery==5.7.0", "pypi:paramiko==5.1.0", "pypi:boto3==1.44.5"),
  ...of("tool", "pypi:click==8.5.1", "pypi:rich==15.0.0", "pypi:pytest==9.2.0"),
  ...of("agent", "pypi:langchain-core==1.8.2", "pypi:anthropic==2.12.0"),
  // Chosen last, when the analysers had been held against others: none of these had been scanned before its first scan here.
  ...of("library", "npm:@nestjs/core@12.5.1", "npm:express-session@1.19.0", "npm:typeorm@1.1.1", "pypi:peewee==4.5.3", "pypi:alembic==1.20.1"),
  ...of("tool", "npm:http-server@14.1.1", "npm:json-server@0.17.4", "npm:zx@8.8.5", "npm:npm@12.2.0", "pypi:pip==26.3", "pypi:ipython==9.18.1"),
  ...of("tool", "pypi:invoke==3.0.3", "pypi:jupyter-server==2.21.1", "pypi:uvicorn==0.54.0"),
  ...of("agent", "pypi:smolagents==1.26.0", "pypi:llama-index-core==0.14.25", "pypi:openai-agents==0.24.0"),
  ...of("mcp", "npm:mcp-remote@0.15.1", "npm:@wonderwhy-er/desktop-commander@0.2.52", "npm:@modelcontextprotocol/inspector@2.12.0"),
];
