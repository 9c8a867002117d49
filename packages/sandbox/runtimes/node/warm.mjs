// Imported so that the loader of ES modules is ready; builtins take its two paths, default and named.
import "node:fs";
import { join } from "node:path";

join("a", "b");
