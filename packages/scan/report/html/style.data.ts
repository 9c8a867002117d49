/** The page's one style. Its hash is in the page's policy. */
export const STYLE = `
:root{--bg:#f6f5f2;--card:#fff;--ink:#1d2127;--dim:#6a7280;--line:#e3e1db;--code:#faf9f6;--mark:#ffe08a;--accent:#1f6f5c;
--critical:#a8123f;--high:#dd5328;--medium:#d29a12;--low:#3a7fc2;--info:#8b94a3;--bad:#b3261e;--ok:#1f7a4d;--shadow:0 1px 2px rgb(20 20 20/.06),0 4px 14px rgb(20 20 20/.05)}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){--bg:#14171b;--card:#1c2026;--ink:#e6e8eb;--dim:#97a0ad;--line:#2d333b;--code:#171b20;--mark:#6b5410;--accent:#58c2a5;
--critical:#ff4f7b;--high:#ff7a4d;--medium:#e9b73a;--low:#63a8ec;--info:#7e8896;--bad:#ff7b72;--ok:#4fc38a;--shadow:none}}
:root[data-theme=dark]{--bg:#14171b;--card:#1c2026;--ink:#e6e8eb;--dim:#97a0ad;--line:#2d333b;--code:#171b20;--mark:#6b5410;--accent:#58c2a5;
--critical:#ff4f7b;--high:#ff7a4d;--medium:#e9b73a;--low:#63a8ec;--info:#7e8896;--bad:#ff7b72;--ok:#4fc38a;--shadow:none}
*{box-sizing:border-box}[hidden]{display:none!important}
html{scroll-padding-top:64px}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-font-smoothing:antialiased}
h1,h2,h3,p,ul,ol,dl,dd{margin:0;padding:0}ul,ol{list-style:none}
code,pre,.mono,.at,kbd{font-family:ui-monospace,"SF Mono","Cascadia Code","DejaVu Sans Mono",Menlo,Consolas,monospace}
button,input,select{font:inherit;color:inherit}
button{cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
small,.dim{color:var(--dim)}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 24px}
header{display:flex;align-items:center;gap:22px;padding-top:22px;padding-bottom:16px}
.brand{display:flex;align-items:center;gap:8px;font-weight:650;letter-spacing:.01em;color:var(--accent)}
.brand svg{width:26px;height:26px;fill:var(--accent)}.brand .in{fill:none;stroke:var(--bg);stroke-width:1.5;stroke-linecap:round}
.what{flex:1;min-width:0;border-left:1px solid var(--line);padding-left:22px}
.what h1{font-size:19px;font-weight:650;line-height:1.3;overflow-wrap:anywhere}.what p{color:var(--dim);font-size:13px}
.tools{display:flex;gap:6px}.tools button{width:32px;height:32px;border:1px solid var(--line);background:var(--card);border-radius:8px}
.verdict{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 14px;border-radius:12px;padding:14px 18px;background:var(--card);box-shadow:var(--shadow);border-left:6px solid var(--ok)}
.verdict b{font-size:20px}.verdict span{color:var(--dim)}
.verdict.findings{border-color:var(--high)}.verdict.exempted{border-color:var(--medium)}
.verdict.incomplete{border-color:var(--bad);background:repeating-linear-gradient(-45deg,transparent 0 10px,color-mix(in srgb,var(--bad) 7%,transparent) 10px 20px),var(--card)}.verdict.incomplete b{color:var(--bad)}
.card{background:var(--card);border-radius:12px;box-shadow:var(--shadow);padding:16px 18px}
.card h2{font-size:13px;font-weight:600;color:var(--dim);margin-bottom:10px}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:14px;margin:14px 0}
.tile{display:grid;grid-template-columns:auto 1fr;align-items:baseline;column-gap:10px;text-align:left;border:0;border-radius:12px;padding:12px 18px;background:var(--card);box-shadow:var(--shadow);border-top:4px solid var(--c)}
.tile b{font-size:34px;line-height:1.1;font-weight:680;font-variant-numeric:tabular-nums;grid-row:span 2}.tile span{font-weight:600}.tile small{line-height:1.2}
.now{--c:var(--critical)}.soon{--c:var(--high)}.plan{--c:var(--low)}.note{--c:var(--info)}
.tile:hover,.rows button:hover,.sv button:hover{background:color-mix(in srgb,var(--accent) 7%,var(--card))}
.charts{display:grid;grid-template-columns:1fr 1.25fr 1.25fr;gap:14px}
.charts .card{display:flex;flex-direction:column}.sv{display:flex;align-items:center;gap:14px;flex:1}.sv ul{flex:1}.sv button{display:flex;gap:8px;align-items:center;width:100%;border:0;background:none;padding:3px 6px;border-radius:6px;text-align:left}
.sv b,.rows b{margin-left:auto;font-variant-numeric:tabular-nums;font-weight:600}
.dot{width:10px;height:10px;border-radius:3px;background:var(--s)}
.critical{--s:var(--critical)}.high{--s:var(--high)}.medium{--s:var(--medium)}.low{--s:var(--low)}.info{--s:var(--info)}
.ring{width:138px;flex:none}.ring circle{fill:none;stroke:var(--s);stroke-width:15}.ring .none{stroke:var(--line)}
.ring text{text-anchor:middle;font-size:24px;font-weight:680;fill:var(--ink)}.ring .far{font-size:18px}.ring .un{font-size:11px;font-weight:400;fill:var(--dim)}
.rows button{display:grid;grid-template-columns:1fr auto;gap:3px 10px;width:100%;border:0;background:none;text-align:left;padding:4px 6px;border-radius:6px}
.nm{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.nm.mono{font-size:13px}
.bar{grid-column:1/-1;width:100%;height:7px;background:color-mix(in srgb,var(--line) 60%,transparent);border-radius:4px;display:block}.bar rect{fill:var(--s)}
#filters{position:sticky;top:0;z-index:5;display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;padding:12px 0;margin-top:8px;background:var(--bg)}
#q{flex:1 1 220px;min-width:160px;padding:7px 12px;border:1px solid var(--line);border-radius:9px;background:var(--card)}
#filters select,#filters button{padding:5px 10px;border:1px solid var(--line);border-radius:9px;background:var(--card);font-size:13px}
#path{font-family:ui-monospace,monospace;max-width:320px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}#path::after{content:" ×"}
.gr{display:flex;flex-wrap:wrap;gap:4px}
.chip{display:inline-flex;align-items:center;gap:5px;font-size:13px;padding:3px 10px;border:1px solid var(--line);border-radius:99px;background:var(--card);cursor:pointer;user-select:none}
.chip::before{content:"";width:8px;height:8px;border-radius:50%;background:var(--s,var(--c,var(--dim)))}
.chip input{position:absolute;opacity:0;pointer-events:none}.chip:has(:checked){background:var(--ink);color:var(--bg);border-color:var(--ink)}.chip:has(:focus-visible){outline:2px solid var(--accent);outline-offset:2px}
#n{color:var(--dim);font-size:13px;margin-left:auto}
.lvl h2{font-size:16px;margin:18px 0 8px;display:flex;gap:10px;align-items:baseline}.lvl h2::before{content:"";width:11px;height:11px;border-radius:3px;background:var(--c)}.lvl h2 small{font-weight:400;font-size:13px}.cnt{margin-left:auto;color:var(--dim);font-size:13px;font-weight:400}
.f{background:var(--card);border-radius:10px;box-shadow:var(--shadow);margin-bottom:8px;border-left:5px solid var(--s);content-visibility:auto;contain-intrinsic-size:auto 46px}
.f>summary{display:grid;grid-template-columns:76px minmax(0,1fr) auto;gap:2px 12px;align-items:baseline;padding:10px 16px;cursor:pointer;list-style:none}
.f>summary::-webkit-details-marker{display:none}
.f[open]>summary{border-bottom:1px solid var(--line)}
.f.cur{outline:2px solid var(--accent);outline-offset:1px}
.sev{font-size:12px;font-weight:650;color:var(--s)}.ti{font-weight:600;overflow-wrap:anywhere}
.at{font-size:13px;color:var(--dim);overflow-wrap:anywhere;min-width:0}.at em{font-style:normal;color:var(--ink)}
.f>summary .at{grid-column:2}.f>summary .ru{grid-column:3;grid-row:1;font-size:12px;color:var(--dim)}.f>summary .ex{grid-column:3;grid-row:2;justify-self:end}
.vd{font-size:11.5px;font-weight:600;border-radius:5px;padding:1px 7px;margin-left:6px;vertical-align:1px;background:var(--line);color:var(--ink)}.vd.malice{background:var(--critical);color:var(--card)}
.ex{font-size:12px;font-weight:600;color:var(--ok)}
.f[data-t=exempted]>summary .ti,.f[data-t=exempted]>summary .sev{opacity:.6}
.bd{padding:14px 16px 16px}.msg{max-width:86ch;margin-bottom:12px;white-space:pre-wrap;overflow-wrap:anywhere}
pre{margin:0 0 12px;background:var(--code);border:1px solid var(--line);border-radius:8px;padding:8px 0;overflow-x:auto;font-size:13px;line-height:1.55;tab-size:4}
.l{display:block;white-space:pre;padding-right:14px}.l i{display:inline-block;width:52px;padding-right:14px;text-align:right;color:var(--dim);font-style:normal;user-select:none}
mark{background:var(--mark);color:inherit;border-radius:3px;padding:1px 0;box-shadow:0 0 0 1px color-mix(in srgb,var(--mark) 60%,var(--s))}
.flow{counter-reset:n;margin:0 0 12px}
.flow li{position:relative;counter-increment:n;padding:0 0 4px 40px}
.flow li::before{content:counter(n);position:absolute;left:0;top:0;width:25px;height:25px;border-radius:50%;background:var(--card);border:2px solid var(--dim);display:grid;place-items:center;font-size:12px;font-weight:650;z-index:1}
.flow li:not(:last-child)::after{content:"";position:absolute;left:12px;top:25px;bottom:0;width:2px;background:var(--line)}
.flow .source::before{border-color:var(--low);color:var(--low)}.flow .sink::before{border-color:var(--s);background:var(--s);color:var(--card)}
.st{margin-bottom:5px;overflow-wrap:anywhere}.st b{font-weight:650;margin-right:4px}.flow .source .st b{color:var(--low)}.flow .sink .st b{color:var(--s)}.st .at{display:inline-block;max-width:100%}
.flow pre{margin-bottom:10px}
.bd dl{display:grid;grid-template-columns:110px minmax(0,1fr);gap:6px 16px;font-size:14px}.bd dt{color:var(--dim)}.bd dd{overflow-wrap:anywhere;white-space:pre-line}
.bd dd code{font-size:12.5px}.msg code,.st code,.bd dd code:not(.tag){background:var(--code);border-radius:4px;padding:0 4px;font-size:.9em}.tag{background:var(--code);border:1px solid var(--line);border-radius:5px;padding:1px 6px}
.lv{color:var(--c)}a{color:var(--accent)}
#none{padding:40px;text-align:center;color:var(--dim)}
.cov{margin:26px 0}.cov h3{font-size:14px;margin:4px 0 6px}.bad{color:var(--bad)}.gaps li{padding:3px 0;overflow-wrap:anywhere;font-size:14px}.gaps .failed{color:var(--bad)}.gaps .degraded,.gaps .skipped{color:var(--medium)}
.notes li{padding:2px 0 2px 18px;position:relative}.notes li::before{content:"i";position:absolute;left:2px;color:var(--accent);font-weight:700}
.cov table{border-collapse:collapse;width:100%;margin-top:12px;font-size:14px}.cov th{text-align:left;font-weight:500;color:var(--dim)}.cov td,.cov th{padding:5px 12px 5px 0;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
.cov details{margin-top:10px}.cov details summary{cursor:pointer;color:var(--dim)}
footer{padding-top:6px;padding-bottom:34px;color:var(--dim);font-size:12.5px;overflow-wrap:anywhere}
dialog{border:0;border-radius:12px;padding:22px 26px;background:var(--card);color:var(--ink);box-shadow:0 20px 60px rgb(0 0 0/.35)}dialog::backdrop{background:rgb(0 0 0/.4)}dialog h2{font-size:16px;margin-bottom:10px}dialog dl{display:grid;grid-template-columns:auto 1fr;gap:6px 18px;margin-bottom:14px}
kbd{border:1px solid var(--line);border-bottom-width:2px;border-radius:5px;padding:0 6px;font-size:13px}
dialog button{padding:5px 14px;border:1px solid var(--line);border-radius:8px;background:var(--bg)}
@media (max-width:900px){.charts,.tiles{grid-template-columns:1fr 1fr}.charts .card:first-child{grid-column:1/-1}.f>summary{grid-template-columns:64px minmax(0,1fr)}.f>summary .ru,.f>summary .ex{grid-column:2;grid-row:auto;justify-self:start}#filters{position:static}header{flex-wrap:wrap;gap:12px}}
@media (max-width:560px){.charts{grid-template-columns:1fr}header,main,footer{padding-left:14px;padding-right:14px}.bd dl{grid-template-columns:1fr;gap:2px}.bd dd{margin-bottom:8px}.l i{width:38px}.cov table{font-size:12.5px}.cov td,.cov th{padding-right:6px}.cov th:nth-child(3),.cov td:nth-child(3){display:none}}
@media print{:root{--bg:#fff;--shadow:none;--line:#ccc}body{font-size:11px}#filters,.tools,dialog{display:none}.f{break-inside:avoid;border:1px solid #ccc;border-left:5px solid var(--s);content-visibility:visible}.l{white-space:pre-wrap;overflow-wrap:anywhere}.card,.tile,.verdict{border:1px solid #ccc}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.f::details-content{content-visibility:visible;height:auto}}
`;
