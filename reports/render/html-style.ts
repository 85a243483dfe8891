/** The style sheet of the HTML report. Two palettes; the reader's system chooses. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #e3e6eb; --text: #1c2330; --dim: #687285; --code: #f1f3f6;
  --good: #1a7f4b; --bad: #c62f3b; --warn: #9a6700; --good-soft: #e3f4ea; --bad-soft: #fcebec; --warn-soft: #fbf1d9;
  --phase-a: #dbe4f3; --phase-b: #c6d5ee; --fault: #e8710a; --link-0: #2f6fde; --link-1: #8f4fd8; --link-2: #0f8f8f;
  --link-3: #c2477f; --link-4: #5a7d1a; --link-5: #8a5a2b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11141a; --card: #191e27; --line: #2b3240; --text: #dfe4ee; --dim: #8d97aa; --code: #10141b;
    --good: #5cc98c; --bad: #ff7b84; --warn: #e3b341; --good-soft: #16301f; --bad-soft: #3a1a1e; --warn-soft: #33290f;
    --phase-a: #263350; --phase-b: #31436b; --fault: #ff9a3d; --link-0: #6ea3ff; --link-1: #bf91ff; --link-2: #4fd0d0;
    --link-3: #f08fc0; --link-4: #a9cf5f; --link-5: #d3a574;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
header { border-radius: 12px; padding: 24px 28px; margin-bottom: 20px; border: 1px solid var(--line); background: var(--card); }
header.good { background: var(--good-soft); border-color: var(--good); }
header.bad { background: var(--bad-soft); border-color: var(--bad); }
header.warn { background: var(--warn-soft); border-color: var(--warn); }
.verdict { font-size: 40px; line-height: 1.1; font-weight: 750; letter-spacing: 0.01em; }
.summary { font-size: 20px; line-height: 1.4; margin: 10px 0 12px; max-width: 60ch; }
.subtitle { color: var(--dim); font-size: 13.5px; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 20px; }
nav a { color: var(--text); text-decoration: none; font-size: 13px; padding: 3px 11px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); }
nav a:hover { border-color: var(--dim); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 22px 20px; margin-bottom: 16px; }
h2 { font-size: 16px; margin: 0 0 10px; }
.scroll { overflow-x: auto; }
.scroll + .scroll, .scroll + dl, dl.facts + .scroll { margin-top: 16px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: left; font-weight: 500; color: var(--dim); font-size: 12.5px; white-space: nowrap; }
th, td { padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td:last-child, th:last-child { padding-right: 0; }
.right { text-align: right; white-space: nowrap; }
.bar { position: relative; width: 260px; min-width: 160px; height: 10px; margin-top: 6px; border-radius: 5px; background: var(--code); }
.bar i { position: absolute; top: 0; bottom: 0; min-width: 3px; border-radius: 5px; background: var(--link-0); }
.bar i.bad { background: var(--bad); } .bar i.dim { background: var(--line); }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .dim { color: var(--dim); }
header.good, header.bad, header.warn { color: var(--text); }
header.good .verdict { color: var(--good); } header.bad .verdict { color: var(--bad); } header.warn .verdict { color: var(--warn); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 0; font-size: 14px; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.entry { border-left: 3px solid var(--line); padding: 2px 0 2px 16px; margin: 14px 0; }
.entry.bad { border-color: var(--bad); } .entry.warn { border-color: var(--warn); } .entry.good { border-color: var(--good); }
.entry, .entry.bad, .entry.warn, .entry.good, .entry.dim { color: var(--text); }
.label { font-weight: 650; font-size: 13px; margin-right: 8px; }
.title { overflow-wrap: anywhere; }
.entry dl { display: grid; grid-template-columns: 72px 1fr; gap: 4px 12px; margin: 6px 0; font-size: 14px; }
.entry dd { min-width: 0; }
pre { margin: 3px 0; padding: 7px 11px; border-radius: 6px; background: var(--code); overflow-x: auto; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre.command { user-select: all; border: 1px dashed var(--line); }
.note { margin: 10px 0 0; font-size: 14px; }
svg { display: block; width: 100%; min-width: 680px; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--dim); }
svg .name { fill: var(--text); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .fault-band { fill: var(--fault); fill-opacity: 0.14; }
svg .fault { fill: var(--fault); }
svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
footer { color: var(--dim); font-size: 12.5px; text-align: center; }
@media print { body { background: #fff; } section, header { break-inside: avoid; } nav { display: none; } }
`;
