"""The page: one HTML file that holds all it needs. It is XML too, so that a program can check it."""
from svg import escape

# A colour for each policy, on light and on dark paper: warm for those that go by arrival or frequency, blue for the reference bit,
# green for recency. They differ in lightness too, and curves are named where they are drawn, so nobody needs to tell them by hue.
COLOURS = {
    "fifo": ("#b8430a", "#ff9a5c"), "random": ("#6f6f6f", "#a8a8a8"), "clock": ("#0060a8", "#5cb3ff"),
    "nru": ("#2b86b8", "#86cdf0"), "aging": ("#5560b8", "#a3abff"), "lfu": ("#93307c", "#e58acb"),
    "mfu": ("#b3568f", "#f2b3d8"), "lru": ("#00734f", "#3fd0a0"), "wsclock": ("#1d4468", "#8fb8dc"),
    "2q": ("#8a6a00", "#e3bf45"), "arc": ("#6e4a00", "#d6a04a"), "opt": ("#1a1a1a", "#f2f2f2"),
}
INKS = {
    "paper": ("#ffffff", "#15181c"), "ink": ("#1a1a1a", "#e8e8e6"), "muted": ("#6a6a6a", "#a5a8ab"), "faint": ("#d9d9d6", "#3a3e43"),
    "grid": ("#e9e9e6", "#2a2e33"), "band": ("#f3f3ef", "#1d2126"), "accent": ("#0060a8", "#5cb3ff"), "warning": ("#c4161c", "#ff6b6b"),
    "heat": ("#b8430a", "#d9642a"), "code": ("#f5f5f2", "#1d2126"),
}

STYLE = """
body { background: var(--paper); color: var(--ink); margin: 0 auto; max-width: 800px; padding: 24px 20px 64px;
  font: 16px/1.55 Charter, "Bitstream Charter", Georgia, "DejaVu Serif", serif; }
h1 { font-size: 30px; line-height: 1.2; margin: 16px 0 8px; }
h2 { font-size: 21px; line-height: 1.3; margin: 56px 0 8px; }
.lead { color: var(--muted); margin: 0 0 24px; }
figure { margin: 0; }
figcaption { margin: 12px 0 8px; max-width: 680px; }
nav ol { margin: 0; padding-left: 22px; }
a { color: var(--accent); }
svg { display: block; width: 100%; height: auto; font: 13px/1 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
.wide svg { margin: 0 auto; max-width: 720px; }
.table { overflow-x: auto; }
.table svg { min-width: 480px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 16px; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 12px 16px; margin-top: 16px; }
svg text { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
svg .tick { fill: var(--muted); font-size: 12px; }
svg .name { font-size: 13px; }
svg .title, svg .label { font-size: 14px; font-weight: 600; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .number, svg .on-cell { stroke: none; font-variant-numeric: tabular-nums; }
svg .on-cell { fill: #ffffff; font-weight: 600; }
.axis { stroke: var(--muted); stroke-width: 1; }
.grid { stroke: var(--grid); stroke-width: 1; }
.curve { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
.thin { stroke-width: 1.25; }
.dashed { stroke-width: 1.5; stroke-dasharray: 5 4; stroke-linecap: butt; }
.rise { stroke-width: 4.5; }
.leader { fill: none; stroke: var(--muted); stroke-width: 0.75; }
.bracket { fill: none; stroke-width: 3; }
.dot { stroke-width: 0; }
.ring { fill-opacity: 0; stroke-width: 2; }
.band { fill: var(--band); }
.pale { fill-opacity: 0.45; }
.held { fill: none; stroke: var(--faint); }
.came { fill: var(--heat); stroke: var(--faint); }
.cell { fill: var(--heat); stroke: var(--grid); }
.claims { list-style: none; margin: 12px 0; padding: 0; font-size: 15px; }
.claims li { margin: 5px 0; padding-left: 46px; position: relative; }
.claims span { border: 1px solid currentColor; border-radius: 4px; font: 600 11px/16px "Helvetica Neue", Arial, sans-serif; left: 0;
  position: absolute; text-align: center; top: 4px; width: 34px; }
.yes { color: var(--policy-lru); }
.no { background: var(--warning); color: var(--paper); }
details { margin: 6px 0; }
summary { color: var(--muted); cursor: pointer; font-size: 14px; }
pre { background: var(--code); border-radius: 4px; font: 12.5px/1.5 "DejaVu Sans Mono", Menlo, Consolas, monospace; margin: 6px 0;
  overflow-x: auto; padding: 8px 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { max-height: 420px; overflow: auto; }
table { border-collapse: collapse; font: 13px/1.4 "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--grid); padding: 3px 10px; text-align: right; white-space: nowrap; }
th { background: var(--paper); font-weight: 600; position: sticky; top: 0; }
@media print {
  body { font-size: 11pt; max-width: none; padding: 0; }
  .wide svg { max-width: 560px; }
  svg, .panels, figcaption, details, .claims li { break-inside: avoid; }
  h2 { break-after: avoid; }
  nav, details.numbers { display: none; }
  details::details-content { content-visibility: visible; }
}
"""


def variables(which):
    colours = {f"policy-{name}": pair for name, pair in COLOURS.items()} | INKS
    return " ".join(f"--{name}: {pair[which]};" for name, pair in colours.items())


def style():
    light, dark = variables(0), variables(1)
    return (f":root {{ color-scheme: light dark; {light} }}\n"
            f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{STYLE}")


def cell_text(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" if isinstance(value, float) else escape(value)


def table_html(head, rows):
    lines = ["<tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell_text(value)}</td>" for value in row) + "</tr>" for row in rows]
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def claims_html(claims):
    """As the programs say it: yes or NO, and the sentence."""
    lines = [f'<li><span class="{"yes" if claim.holds else "no"}">{"yes" if claim.holds else "NO"}</span> {escape(claim.text)}</li>'
             for claim in claims]
    return '<ul class="claims">\n' + "\n".join(lines) + "\n</ul>"


def figure_html(number, figure):
    commands = "\n".join(figure.commands)
    panels = f'<div class="panels">{"".join(figure.panels)}</div>\n' if figure.panels else ""
    return (f'<h2 id="{figure.name}">{number}. {escape(figure.title)}</h2>\n'
            f'<figure>\n<div class="{figure.layout}">{"".join(figure.charts)}</div>\n'
            f"<figcaption>{figure.caption}</figcaption>\n{panels}</figure>\n{claims_html(figure.claims)}\n"
            f"<details><summary>how it was made</summary><pre>{escape(commands)}</pre></details>\n"
            f'<details class="numbers"><summary>the numbers</summary>{table_html(*figure.table)}</details>\n')


def page_html(title, lead, figures):
    contents = "\n".join(f'<li><a href="#{figure.name}">{escape(figure.title)}</a></li>' for figure in figures)
    body = "\n".join(figure_html(number, figure) for number, figure in enumerate(figures, 1))
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
            f"<title>{escape(title)}</title>\n<style>{style()}</style>\n</head>\n<body>\n"
            f'<h1>{escape(title)}</h1>\n<p class="lead">{lead}</p>\n<nav><ol>\n{contents}\n</ol></nav>\n{body}\n</body>\n</html>\n')
