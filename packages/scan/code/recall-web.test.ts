/**
 * What browsers are made to do to their own users, in applications as they are written: pages with outside text, redirects, shared prototypes and requests
 * of other sites; with Express, Koa, Fastify, Hono, Next and plain Node. Each weakness is found, and its mended twin is quiet.
 */
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../testing/look.ts";
import { createCode } from "./create.ts";
import { codeRules } from "./testing/rules.ts";

const analyser = createCode(codeRules());
type Files = Readonly<Record<string, string>>;

function rulesIn(files: Files): string[] {
  const { matches } = lookAt(
    analyser,
    Object.entries(files).map(([path, text]) => fileOf(path, text)),
  );
  return matches.map(({ rule }) => rule.replace("code/javascript/", ""));
}

const express = (route: string, head = ""): Files => ({
  "app.js": `const express = require("express");\n${head}\nconst app = express();\napp.use(express.json());\napp.use(express.urlencoded({ extended: true }));\n${route}\napp.listen(3000);\n`,
});
const koa = (route: string, head = ""): Files => ({
  "app.js": `import Koa from "koa";\nimport Router from "@koa/router";\nimport { koaBody } from "koa-body";\n${head}\nconst app = new Koa();\nconst router = new Router();\n${route}\napp.use(koaBody()).use(router.routes());\napp.listen(3000);\n`,
});
const fastify = (route: string, head = ""): Files => ({
  "app.ts": `import Fastify from "fastify";\n${head}\nconst app = Fastify();\n${route}\nawait app.listen({ port: 3000 });\n`,
});
const hono = (route: string, head = ""): Files => ({
  "app.ts": `import { Hono } from "hono";\n${head}\nconst app = new Hono();\n${route}\nexport default app;\n`,
});

/** What is wrong, where, and the same with the one change that mends it. */
type Pair = readonly [what: string, bad: Files, ok: Files];

const PAGES: readonly Pair[] = [
  [
    "Express: a search page that repeats the words",
    express(
      "app.get('/search', (req, res) => { const q = req.query.q; const rows = find(q); res.send(`<h1>Results for ${q}</h1><ul>${rows.length}</ul>`); });",
    ),
    express(
      "app.get('/search', (req, res) => { const q = req.query.q; const rows = find(q); res.send(`<h1>Results for ${escape(q)}</h1><ul>${rows.length}</ul>`); });",
      "const escape = require('escape-html');",
    ),
  ],
  [
    "Express: an error page of its own in a module",
    {
      ...express(
        "app.get('/p/:id', (req, res) => { const page = pages.get(req.params.id); if (!page) return notFound(res, req.params.id); res.render('page', { page }); });",
        "const { notFound } = require('./errors');",
      ),
      "errors.js":
        "exports.notFound = function notFound(res, what) { res.status(404); res.set('Content-Type', 'text/html'); res.send('<html><body>No such page: ' + what + '</body></html>'); };",
    },
    {
      ...express(
        "app.get('/p/:id', (req, res) => { const page = pages.get(req.params.id); if (!page) return notFound(res, req.params.id); res.render('page', { page }); });",
        "const { notFound } = require('./errors');",
      ),
      "errors.js": "exports.notFound = function notFound(res, what) { res.status(404); res.json({ error: 'No such page: ' + what }); };",
    },
  ],
  [
    "Express: a controller class that builds a fragment",
    {
      ...express("const c = new Comments(); app.post('/comments/preview', (req, res) => c.preview(req, res));", "const { Comments } = require('./comments');"),
      "comments.js":
        "class Comments { fragment(text) { return '<div class=\"c\">' + text + '</div>'; } preview(req, res) { const { body: { text } } = req; res.send(this.fragment(text)); } }\nmodule.exports = { Comments };",
    },
    {
      ...express("const c = new Comments(); app.post('/comments/preview', (req, res) => c.preview(req, res));", "const { Comments } = require('./comments');"),
      "comments.js":
        "const sanitizeHtml = require('sanitize-html');\nclass Comments { fragment(text) { return '<div class=\"c\">' + sanitizeHtml(text) + '</div>'; } preview(req, res) { const { body: { text } } = req; res.send(this.fragment(text)); } }\nmodule.exports = { Comments };",
    },
  ],
  [
    "Koa: a page in ctx.body",
    koa("router.get('/hi', async (ctx) => { const { name } = ctx.query; ctx.type = 'html'; ctx.body = `<p>Hi ${name}</p>`; });"),
    koa(
      "router.get('/hi', async (ctx) => { const { name } = ctx.query; ctx.type = 'html'; ctx.body = `<p>Hi ${he.encode(name)}</p>`; });",
      "import he from 'he';",
    ),
  ],
  [
    "Fastify: a page by type",
    fastify(
      "app.get('/hi', async (request, reply) => { const { name } = request.query as { name: string }; return reply.type('text/html').send(`<p>Hi ${name}</p>`); });",
    ),
    fastify("app.get('/hi', async (request, reply) => { const { name } = request.query as { name: string }; return reply.send({ hi: name }); });"),
  ],
  [
    "Hono: c.html",
    hono("app.get('/hi', (c) => c.html(`<p>Hi ${c.req.query('name')}</p>`));"),
    hono("app.get('/hi', (c) => c.html(html`<p>Hi ${c.req.query('name')}</p>`));", "import { html } from 'hono/html';"),
  ],
  [
    "Next: an API route that answers in HTML",
    {
      "pages/api/hi.ts":
        "import type { NextApiRequest, NextApiResponse } from 'next';\nexport default function handler(req: NextApiRequest, res: NextApiResponse) { const { name } = req.query; res.setHeader('Content-Type', 'text/html'); res.status(200).send('<h1>Hi ' + name + '</h1>'); }",
    },
    {
      "pages/api/hi.ts":
        "import type { NextApiRequest, NextApiResponse } from 'next';\nexport default function handler(req: NextApiRequest, res: NextApiResponse) { const { name } = req.query; res.status(200).json({ hi: name }); }",
    },
  ],
  [
    "Next: a route handler's Response",
    {
      "app/hi/route.ts":
        "export async function GET(request: Request) { const name = new URL(request.url).searchParams.get('name'); return new Response(`<h1>Hi ${name}</h1>`, { headers: { 'Content-Type': 'text/html' } }); }",
    },
    {
      "app/hi/route.ts":
        "export async function GET(request: Request) { const name = new URL(request.url).searchParams.get('name'); return Response.json({ hi: name }); }",
    },
  ],
  [
    "Next: a page that sets HTML from its address",
    {
      "app/search/page.tsx":
        "export default async function Page({ searchParams }: { searchParams: Promise<{ q: string }> }) { const { q } = await searchParams; return <main><h1 dangerouslySetInnerHTML={{ __html: `Results for ${q}` }} /></main>; }",
    },
    {
      "app/search/page.tsx":
        "export default async function Page({ searchParams }: { searchParams: Promise<{ q: string }> }) { const { q } = await searchParams; return <main><h1>Results for {q}</h1></main>; }",
    },
  ],
  [
    "React: a component that gets the address through a hook",
    {
      "Search.jsx":
        "import { useSearchParams } from 'react-router-dom';\nexport function Search() { const [params] = useSearchParams(); const q = params.get('q'); return <div dangerouslySetInnerHTML={{ __html: q }} />; }",
    },
    {
      "Search.jsx":
        "import { useSearchParams } from 'react-router-dom';\nexport function Search() { const [params] = useSearchParams(); const q = params.get('q'); return <div>{q}</div>; }",
    },
  ],
  [
    "Node: a server without a framework",
    {
      "server.js":
        "const http = require('node:http');\nhttp.createServer((req, res) => { const url = new URL(req.url, 'http://x'); res.setHeader('content-type', 'text/html'); res.end(`<p>You asked for ${url.searchParams.get('what')}</p>`); }).listen(80);",
    },
    {
      "server.js":
        "const http = require('node:http');\nhttp.createServer((req, res) => { const url = new URL(req.url, 'http://x'); res.setHeader('content-type', 'application/json'); res.end(JSON.stringify({ asked: url.searchParams.get('what') })); }).listen(80);",
    },
  ],
];

const REDIRECTS: readonly Pair[] = [
  [
    "Express: back to where the login began",
    express(
      "app.post('/login', async (req, res) => { const user = await check(req.body.name, req.body.password); if (!user) return res.status(401).end(); req.session.user = user.id; const to = req.body.returnTo || '/'; res.redirect(to); });",
    ),
    express(
      "app.post('/login', async (req, res) => { const user = await check(req.body.name, req.body.password); if (!user) return res.status(401).end(); req.session.user = user.id; const to = req.body.returnTo || '/'; res.redirect(/^\\/(?![/\\\\])/.test(to) ? to : '/'); });",
    ),
  ],
  [
    "Express: the header itself",
    express("app.get('/out', (req, res) => { res.statusCode = 302; res.setHeader('Location', req.query.url); res.end(); });"),
    express("app.get('/out', (req, res) => { res.statusCode = 302; res.setHeader('Location', '/out/' + encodeURIComponent(req.query.url)); res.end(); });"),
  ],
  [
    "Express: writeHead",
    express("app.get('/out', (req, res) => { res.writeHead(302, { Location: req.query.url }); res.end(); });"),
    express("app.get('/out', (req, res) => { res.writeHead(302, { Location: '/home' }); res.end(); });"),
  ],
  [
    "Koa",
    koa("router.get('/go', (ctx) => { const { to = '/' } = ctx.request.query; ctx.redirect(to); });"),
    koa(
      "const KNOWN = new Set(['/a', '/b']); router.get('/go', (ctx) => { const { to = '/' } = ctx.request.query; if (!KNOWN.has(to)) ctx.throw(400); ctx.redirect(to); });",
    ),
  ],
  [
    "Fastify",
    fastify("app.get('/go', async (request, reply) => { const { to } = request.query as { to: string }; return reply.code(302).redirect(to); });"),
    fastify(
      "app.get('/go', async (request, reply) => { const { to } = request.query as { to: string }; if (!to.startsWith('/app/')) return reply.code(400).send(); return reply.redirect(to); });",
    ),
  ],
  ["Hono", hono("app.get('/go', (c) => c.redirect(c.req.query('to') ?? '/'));"), hono("app.get('/go', (c) => c.redirect('/users/' + c.req.param('id')));")],
  [
    "Next: middleware",
    {
      "middleware.ts":
        "import { NextResponse, type NextRequest } from 'next/server';\nexport function middleware(request: NextRequest) { const to = request.nextUrl.searchParams.get('next'); if (to) return NextResponse.redirect(to); return NextResponse.next(); }",
    },
    {
      "middleware.ts":
        "import { NextResponse, type NextRequest } from 'next/server';\nexport function middleware(request: NextRequest) { if (!request.cookies.get('session')) return NextResponse.redirect(new URL('/login', request.url)); return NextResponse.next(); }",
    },
  ],
  [
    "Next: getServerSideProps",
    {
      "pages/go.tsx":
        "export async function getServerSideProps({ query }) { return { redirect: { destination: query.to, permanent: false } }; }\nexport default function Go() { return null; }",
    },
    {
      "pages/go.tsx":
        "export async function getServerSideProps({ query }) { return { redirect: { destination: '/items/' + query.id, permanent: false } }; }\nexport default function Go() { return null; }",
    },
  ],
  [
    "Next: a route handler",
    {
      "app/go/route.ts":
        "import { redirect } from 'next/navigation';\nexport async function GET(request: Request) { const { searchParams } = new URL(request.url); redirect(searchParams.get('to')!); }",
    },
    {
      "app/go/route.ts":
        "import { redirect } from 'next/navigation';\nexport async function GET(request: Request) { const { searchParams } = new URL(request.url); redirect(`/items/${searchParams.get('id')}`); }",
    },
  ],
  [
    "the browser",
    {
      "login.js":
        "const params = new URLSearchParams(location.search);\nform.addEventListener('submit', async () => { await login(); window.location.href = params.get('next'); });",
    },
    {
      "login.js":
        "const params = new URLSearchParams(location.search);\nform.addEventListener('submit', async () => { await login(); window.location.href = '/home?from=' + encodeURIComponent(params.get('next')); });",
    },
  ],
];

const POLLUTION: readonly Pair[] = [
  [
    "Express: settings by a path in a body",
    {
      ...express(
        "app.patch('/settings', (req, res) => { for (const [path, value] of Object.entries(req.body)) setIn(settings, path, value); res.json(settings); });",
        "const { setIn } = require('./set-in'); const settings = {};",
      ),
      "set-in.js":
        "exports.setIn = function setIn(target, path, value) { const keys = path.split('.'); const last = keys.pop(); let at = target; for (const key of keys) { if (typeof at[key] !== 'object') at[key] = {}; at = at[key]; } at[last] = value; };",
    },
    {
      ...express(
        "app.patch('/settings', (req, res) => { for (const [path, value] of Object.entries(req.body)) setIn(settings, path, value); res.json(settings); });",
        "const { setIn } = require('./set-in'); const settings = {};",
      ),
      "set-in.js":
        "const BAD = new Set(['__proto__', 'constructor', 'prototype']);\nexports.setIn = function setIn(target, path, value) { const keys = path.split('.'); if (keys.some((key) => BAD.has(key))) throw new TypeError('no'); const last = keys.pop(); let at = target; for (const key of keys) { if (typeof at[key] !== 'object') at[key] = {}; at = at[key]; } at[last] = value; };",
    },
  ],
  [
    "Express: a deep merge of a body",
    {
      ...express(
        "app.put('/profile', (req, res) => { deepMerge(profile, req.body); res.end(); });",
        "const deepMerge = require('./merge'); const profile = {};",
      ),
      "merge.js":
        "const isObject = (x) => x && typeof x === 'object';\nmodule.exports = function deepMerge(target, source) { Object.keys(source).forEach((key) => { if (isObject(target[key]) && isObject(source[key])) deepMerge(target[key], source[key]); else target[key] = source[key]; }); return target; };",
    },
    {
      ...express(
        "app.put('/profile', (req, res) => { deepMerge(profile, req.body); res.end(); });",
        "const deepMerge = require('./merge'); const profile = {};",
      ),
      "merge.js":
        "const isObject = (x) => x && typeof x === 'object';\nmodule.exports = function deepMerge(target, source) { Object.keys(source).forEach((key) => { if (key === '__proto__' || key === 'constructor') return; if (isObject(target[key]) && isObject(source[key])) deepMerge(target[key], source[key]); else target[key] = source[key]; }); return target; };",
    },
  ],
  [
    "Express: two keys of the address",
    express(
      "const prefs = {};\napp.post('/prefs/:user/:key', (req, res) => { const { user, key } = req.params; prefs[user] = prefs[user] || {}; prefs[user][key] = req.body.value; res.end(); });",
    ),
    express(
      "const prefs = new Map();\napp.post('/prefs/:user/:key', (req, res) => { const { user, key } = req.params; if (!prefs.has(user)) prefs.set(user, new Map()); prefs.get(user).set(key, req.body.value); res.end(); });",
    ),
  ],
];

const FORGED: readonly Pair[] = [
  [
    "Express: a session for every site",
    express(
      "app.use(session({ secret: process.env.S, resave: false, saveUninitialized: false, cookie: { httpOnly: true, secure: true, sameSite: 'none' } }));\napp.post('/transfer', (req, res) => { transfer(req.session.user, req.body.to); res.end(); });",
      "const session = require('express-session');",
    ),
    express(
      "app.use(session({ secret: process.env.S, resave: false, saveUninitialized: false, cookie: { httpOnly: true, secure: true, sameSite: 'lax' } }));\napp.post('/transfer', (req, res) => { transfer(req.session.user, req.body.to); res.end(); });",
      "const session = require('express-session');",
    ),
  ],
  [
    "Express: options in a name of their own",
    express(
      "const options = { secret: process.env.S, cookie: { secure: true, sameSite: 'none' } };\napp.use(session(options));",
      "const session = require('express-session');",
    ),
    express(
      "const options = { secret: process.env.S, cookie: { secure: true, sameSite: 'none' } };\napp.use(session(options));\napp.use(doubleCsrfProtection);",
      "const session = require('express-session'); const { doubleCsrf } = require('csrf-csrf'); const { doubleCsrfProtection } = doubleCsrf({ getSecret: () => process.env.S });",
    ),
  ],
  [
    "Koa: a session for every site",
    koa("app.keys = [process.env.KEY];\napp.use(session({ key: 'sid', sameSite: 'none', secure: true }, app));", "import session from 'koa-session';"),
    koa("app.keys = [process.env.KEY];\napp.use(session({ key: 'sid', sameSite: 'lax', secure: true }, app));", "import session from 'koa-session';"),
  ],
  [
    "Koa: a cookie of its own",
    koa("router.post('/login', (ctx) => { ctx.cookies.set('session', make(ctx), { httpOnly: true, secure: true, sameSite: 'none' }); });"),
    koa("router.post('/login', (ctx) => { ctx.cookies.set('session', make(ctx), { httpOnly: true, secure: true, sameSite: 'strict' }); });"),
  ],
  [
    "Next: cookies().set",
    {
      "app/login/route.ts":
        "import { cookies } from 'next/headers';\nexport async function POST(request: Request) { (await cookies()).set('session', await make(request), { httpOnly: true, secure: true, sameSite: 'none' }); return new Response(null); }",
    },
    {
      "app/login/route.ts":
        "import { cookies } from 'next/headers';\nexport async function POST(request: Request) { (await cookies()).set('session', await make(request), { httpOnly: true, secure: true, sameSite: 'lax' }); return new Response(null); }",
    },
  ],
  [
    "Fastify: a cookie of its own",
    fastify(
      "app.post('/login', async (request, reply) => { reply.setCookie('session', make(request), { httpOnly: true, secure: true, sameSite: 'none' }); return {}; });",
    ),
    fastify(
      "app.post('/login', async (request, reply) => { reply.setCookie('session', make(request), { httpOnly: true, secure: true, sameSite: 'lax' }); return {}; });",
    ),
  ],
];

describe.each([
  ["79", PAGES, ["cross-site-scripting", "dom-scripting"]],
  ["601", REDIRECTS, ["open-redirect"]],
  ["1321", POLLUTION, ["prototype-pollution"]],
  ["352", FORGED, ["missing-csrf-protection"]],
] as const)("CWE-%s", (_, pairs, rules) => {
  test.each(pairs)("%s is found", (_what, bad) => {
    expect(rulesIn(bad).filter((rule) => (rules as readonly string[]).includes(rule)).length).toBeGreaterThan(0);
  });

  test.each(pairs)("%s, mended, is quiet", (_what, _bad, ok) => {
    expect(rulesIn(ok).filter((rule) => (rules as readonly string[]).includes(rule))).toEqual([]);
  });
});
