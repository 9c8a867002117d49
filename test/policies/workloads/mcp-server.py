"""An MCP server over standard input and output: two tools over files of its workspace."""
import json, os, sys


def call(name, arguments):
    path = os.path.normpath(arguments["path"])
    if path.startswith(("/", "..")):
        raise ValueError("outside of the workspace")
    if name == "write_note":
        with open(path, "w") as out:
            return f"{out.write(arguments['text'])} characters"
    with open(path) as note:
        return note.read()


TOOLS = [{"name": name, "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}}} for name in ("write_note", "read_note")]
for line in sys.stdin:
    request = json.loads(line)
    method, params = request["method"], request.get("params", {})
    if method == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "notes", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": TOOLS}
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": call(params["name"], params["arguments"])}]}
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
