"""Charts in SVG: scales, axes with ticks, lines, labels that keep apart. Colours are CSS variables (page.py), so that a chart is
right on light and on dark paper; every text has a halo of the paper's colour, so that lines may pass behind it.
"""
import html
import math

FONT_HEIGHT = 15        # of a line of text, in the chart's own units
TICK = 5


def escape(text):
    return html.escape(str(text))


def number_text(value):
    """1234567 as 1,234,567, and no more decimals than there are."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"


def short_text(value):
    """The same where there is little room: 100k."""
    return f"{value / 1000:g}k" if value >= 10000 else number_text(value)


def power_text(value):
    """A power of ten, raised: 10⁻³."""
    exponent = str(round(math.log10(value)))
    return "10" + exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


class Linear:
    """Maps [low, high] to [start, end], and chooses round numbers for ticks."""

    def __init__(self, low, high, start, end, ticks=6):
        self.low, self.high, self.start, self.end = low, high, start, end
        self.wanted = ticks

    def __call__(self, value):
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        rough = (self.high - self.low) / self.wanted
        power = 10 ** math.floor(math.log10(rough))
        step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
        first = math.ceil(self.low / step)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


class Logarithmic:
    """The same by orders of magnitude: ticks at the powers of ten, or at 1, 2, 5 where these are few."""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value):
        part = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        digits = (1,) if self.high / self.low > 1000 else (1, 2, 5)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [digit * 10 ** power for power in powers for digit in digits]
        return [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]


def spread(places, gap):
    """Moves places (in one dimension) apart to at least `gap`, as little as can be; the order stays."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups = []     # (place of the first, how many): each group stands where its members are, in the mean, nearest to their wishes
    for i in order:
        first, count = places[i], 1
        while groups and groups[-1][0] + groups[-1][1] * gap > first:
            before, others = groups.pop()
            first = (before * others + (first - others * gap) * count) / (others + count)
            count += others
        groups.append((first, count))
    moved = [first + place * gap for first, count in groups for place in range(count)]
    return [place for _, place in sorted(zip(order, moved))]


class Chart:
    """A drawing area with axes. Coordinates of the methods are data; `x` and `y` are the scales."""

    def __init__(self, width, height, left=58, right=24, top=16, bottom=46):
        self.width, self.height = width, height
        self.left, self.right = left, width - right
        self.top, self.bottom = top, height - bottom
        self.parts = []
        self.x = self.y = None

    # ---- Scales ----

    def scale(self, x, y, log_x=False, log_y=False, ticks_x=6, ticks_y=6):
        """x and y: (lowest, highest)."""
        self.x = Logarithmic(*x, self.left, self.right) if log_x else Linear(*x, self.left, self.right, ticks_x)
        self.y = Logarithmic(*y, self.bottom, self.top) if log_y else Linear(*y, self.bottom, self.top, ticks_y)

    def axes(self, name_x, name_y, ticks_x=None, labels_x=number_text, labels_y=number_text):
        """Grid lines at the ticks of y, ticks at x, and both names with their units."""
        for value in self.y.ticks():
            at = self.y(value)
            self.add(f'<line class="grid" x1="{self.left}" y1="{at:.1f}" x2="{self.right}" y2="{at:.1f}"/>')
            self.put(self.left - TICK - 2, at + 4, labels_y(value), "tick end")
        for value in self.x.ticks() if ticks_x is None else ticks_x:
            at = self.x(value)
            self.add(f'<line class="axis" x1="{at:.1f}" y1="{self.bottom}" x2="{at:.1f}" y2="{self.bottom + TICK}"/>')
            self.put(at, self.bottom + TICK + 14, labels_x(value), "tick middle")
        self.add(f'<line class="axis" x1="{self.left}" y1="{self.bottom}" x2="{self.right}" y2="{self.bottom}"/>')
        if name_x:
            self.put((self.left + self.right) / 2, self.height - 6, name_x, "name middle")
        if name_y:
            middle = (self.top + self.bottom) / 2
            self.add(f'<text class="name middle" transform="translate(13 {middle:.1f}) rotate(-90)">{escape(name_y)}</text>')

    # ---- Marks ----

    def add(self, part):
        self.parts.append(part)

    def put(self, x, y, text, classes="", colour=None):
        """A text at a place of the drawing."""
        style = f' style="fill:var(--{colour})"' if colour else ""
        self.add(f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}"{style}>{escape(text)}</text>')

    def note(self, x, y, text, classes="", colour=None, dx=0, dy=0):
        """A text at a place of the data."""
        self.put(self.x(x) + dx, self.y(y) + dy, text, classes, colour)

    def line(self, points, colour, classes="curve", steps=False):
        """A curve through (x, y) points; in steps: each value holds until the next."""
        path = []
        for number, (x, y) in enumerate(points):
            if steps and number:
                path.append(f"H{self.x(x):.1f}")
            path.append(f"{'L' if number else 'M'}{self.x(x):.1f} {self.y(y):.1f}")
        self.add(f'<path class="{classes}" d="{" ".join(path)}" style="stroke:var(--{colour})"/>')

    def dots(self, points, colour, radius=3.5, classes="dot"):
        for x, y in points:
            self.add(f'<circle class="{classes}" cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="{radius}" '
                     f'style="fill:var(--{colour});stroke:var(--{colour})"/>')

    def box(self, x1, y1, x2, y2, classes, colour=None):
        """A rectangle between two points of the data."""
        left, right = sorted((self.x(x1), self.x(x2)))
        top, bottom = sorted((self.y(y1), self.y(y2)))
        style = f' style="fill:var(--{colour})"' if colour else ""
        self.add(f'<rect class="{classes}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"{style}/>')

    def field(self, left, top, width, height, classes):
        """A rectangle at a place of the drawing."""
        self.add(f'<rect class="{classes}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>')

    def end_labels(self, curves, dx=8):
        """Names at the right ends of curves, {name: (points, colour)}, kept apart; a thin line leads where a name had to move far."""
        names = list(curves)
        ends = [self.y(curves[name][0][-1][1]) for name in names]
        for name, wished, place in zip(names, ends, spread(ends, FONT_HEIGHT)):
            x = self.x(curves[name][0][-1][0])
            if abs(place - wished) > FONT_HEIGHT / 3:
                self.add(f'<path class="leader" d="M{x + 2:.1f} {wished:.1f} L{x + dx + 8:.1f} {place:.1f}"/>')
                self.put(x + dx + 10, place + 4.5, name, "label", curves[name][1])
            else:
                self.put(x + dx, place + 4.5, name, "label", curves[name][1])

    # ---- The whole ----

    def svg(self, title, description):
        """The finished drawing. A screen reader says the title and the description, which tells in words what the drawing shows."""
        return (f'<svg viewBox="0 0 {self.width} {self.height}" role="img">'
                f"<title>{escape(title)}</title><desc>{escape(description)}</desc>" + "\n".join(self.parts) + "</svg>")


def points_text(points, unit=""):
    """A curve in words: where it begins, and each place where it goes on to."""
    return ", ".join(f"{number_text(x)}: {number_text(y)}{unit}" for x, y in points)
