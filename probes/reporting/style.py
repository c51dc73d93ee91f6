"""The report's style sheet: one column of reading text, wide tables in their own scrollers, light and dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fdfcf9; --card: #f5f3ed; --ink: #1f1e1b; --quiet: #5f5c55; --line: #dcd8ce;
  --gain: #1b6b45; --loss: #a93420;
  --base0: #77736a; --base1: #3f3c37; --base2: #9a8f78;
  --hue0: #1d5fa6; --hue1: #b3500f; --hue2: #7a3c96; --hue3: #1b7a6b; --hue4: #a02c5c;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", "Source Serif 4", Georgia,
    "Liberation Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15161a; --card: #1e2025; --ink: #e9e6df; --quiet: #a8a49b; --line: #383a41;
    --gain: #6fcf9a; --loss: #f58d78;
    --base0: #8f8b83; --base1: #cfcbc2; --base2: #b3a88f;
    --hue0: #7fb4f0; --hue1: #f2a365; --hue2: #cb9be6; --hue3: #62c9b6; --hue4: #f08db3;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 var(--serif); }
main { max-width: 68rem; margin: 0 auto; padding: 3.5rem 1.25rem 5rem; }
.text, main > header, h2, h3, .contract, .note, details.suite, dl { max-width: 44rem; }
h1 { font-size: clamp(1.8rem, 5vw, 2.6rem); line-height: 1.15; margin: .2rem 0 1.2rem; font-weight: 600;
  letter-spacing: -.01em; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.4rem; line-height: 1.25; font-weight: 600; margin: 3.4rem 0 .6rem; padding-top: 1.1rem;
  border-top: 1px solid var(--line); }
section > h2 { max-width: none; }
h3 { font: 600 1rem/1.35 var(--sans); margin: 2.2rem 0 .5rem; }
p { margin: 0 0 .9rem; overflow-wrap: anywhere; }
.kicker, .meta, .note, figcaption, caption, .legend, th, td, dt, .label { font-family: var(--sans); }
.kicker { font-size: .78rem; letter-spacing: .12em; text-transform: uppercase; color: var(--quiet); margin: 0; }
.lede { font-size: 1.16rem; line-height: 1.58; }
.amount { white-space: nowrap; }
.meta, .note { font-size: .86rem; line-height: 1.5; color: var(--quiet); }
.gain { color: var(--gain); } .loss { color: var(--loss); } .none, .untested { color: var(--quiet); }
.contract { list-style: none; padding: 0; margin: 0; }
.contract li { display: grid; grid-template-columns: 1.6rem 1fr; padding: .5rem 0; border-bottom: 1px solid var(--line); }
.contract b { font: 700 1rem/1.6 var(--sans); }
.contract small { display: block; font: .88rem/1.45 var(--sans); color: var(--quiet); overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { position: relative; overflow-x: auto; margin: 1rem 0 .6rem; }
.scroll:focus-visible, .story:focus-visible, summary:focus-visible { outline: 2px solid var(--hue0); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .86rem; line-height: 1.4; }
caption { text-align: left; color: var(--quiet); padding-bottom: .6rem; font-size: .86rem; max-width: 44rem; }
th, td { text-align: right; vertical-align: top; padding: .55rem .7rem; white-space: nowrap; font-weight: 400; }
th[scope=row] { text-align: left; white-space: normal; min-width: 8.5rem; max-width: 15rem; padding-left: 0;
  position: sticky; left: 0; background: var(--paper); font-weight: 600; }
td.left, th.left { text-align: left; white-space: normal; min-width: 9rem; }
thead th { border-bottom: 1.5px solid var(--ink); color: var(--ink); font-weight: 600; vertical-align: bottom; }
thead th:first-child { text-align: left; padding-left: 0; }
tbody tr { border-bottom: 1px solid var(--line); }
tbody.apart tr:first-child { border-top: 2px solid var(--ink); }
td small, th small { display: block; font-size: .78rem; color: var(--quiet); font-weight: 400; }
td .delta { display: block; font-size: .8rem; font-weight: 600; margin-top: .15rem; }
.rules { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 0 2.4rem; margin: 1rem 0; }
.rules > div { border-top: 1px solid var(--line); padding: .7rem 0 .8rem; min-width: 0; }
.rules h3 { margin: 0 0 .3rem; overflow-wrap: anywhere; }
.chips { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: 0; margin: 0 0 .3rem;
  font: .82rem/1.55 var(--sans); color: var(--quiet); font-variant-numeric: tabular-nums; }
.chips li { overflow-wrap: anywhere; } .chips b { font-weight: 600; } .chips .model { color: var(--ink); }
.chips .over { color: var(--loss); } .chips small { font-size: .76rem; white-space: nowrap; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1.6rem 2rem;
  margin: 1rem 0; }
figure { margin: 0; min-width: 0; }
figure svg { display: block; width: 100%; max-width: 26rem; height: auto; overflow: visible; }
figcaption { font-size: .9rem; font-weight: 600; line-height: 1.35; margin-bottom: .25rem; overflow-wrap: anywhere; }
svg text { font: 12px var(--sans); fill: var(--quiet); } svg text.ink { fill: var(--ink); }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .axis { stroke: var(--ink); stroke-width: 1; }
svg .chance { stroke: var(--quiet); stroke-width: 1.2; stroke-dasharray: 3 3; fill: none; }
svg .interval { stroke-width: 2.4; stroke-linecap: round; opacity: .75; }
svg .best { stroke: var(--quiet); stroke-width: 1.2; stroke-dasharray: 1 3; }
svg .tick { stroke: var(--quiet); stroke-width: 2; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; margin: .8rem 0; font-size: .86rem; }
.legend li { display: flex; align-items: center; gap: .4rem; overflow-wrap: anywhere; }
.key { width: .85rem; height: .85rem; flex: none; }
details { margin: .4rem 0; }
summary { cursor: pointer; font: 600 .95rem/1.5 var(--sans); padding: .45rem 0; }
details.suite { border-bottom: 1px solid var(--line); margin: 0; }
.example { margin: .6rem 0 1.3rem; }
.story { background: var(--card); border-radius: .4rem; padding: .8rem 1rem; font-size: .95rem; line-height: 1.5;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 18rem; overflow-y: auto; }
.label { font-size: .78rem; letter-spacing: .05em; text-transform: uppercase; font-weight: 600; margin: 0 0 .35rem; }
.label span { text-transform: none; letter-spacing: 0; font-weight: 400; color: var(--quiet); margin-left: .4rem; }
.said { font-size: .95rem; margin: .5rem 0 0; }
dl { display: grid; grid-template-columns: fit-content(11rem) 1fr; gap: .35rem 1.2rem; margin: 1rem 0; font-size: .95rem; }
dt { color: var(--quiet); font-size: .86rem; padding-top: .1rem; overflow-wrap: anywhere; } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
code, pre { font: .86em/1.5 var(--mono); overflow-wrap: anywhere; }
pre { background: var(--card); border-radius: .4rem; padding: .9rem 1rem; white-space: pre-wrap; max-width: 60rem; }
footer { margin-top: 3rem; font: .8rem/1.5 var(--sans); color: var(--quiet); }
@media (max-width: 34rem) {
  main { padding-top: 2rem; }
  th[scope=row] { min-width: 7rem; max-width: 8.5rem; }
  .stacked, .stacked tbody, .stacked tr, .stacked caption, .stacked th[scope=row], .stacked td { display: block; }
  .stacked thead, .stacked td:empty { display: none; }
  .stacked tr { padding: .6rem 0; }
  .stacked th[scope=row] { position: static; max-width: none; padding: 0 0 .3rem; }
  .stacked td, .stacked td.left { text-align: left; white-space: normal; padding: .15rem 0 .15rem 8.2rem;
    position: relative; overflow-wrap: anywhere; }
  .stacked td::before { content: attr(data-head); position: absolute; left: 0; width: 7.6rem; color: var(--quiet); }
  .stacked td small { display: inline; margin-left: .45rem; }
}
@media print { .story { max-height: none; } body { font-size: 10pt; } }
"""
