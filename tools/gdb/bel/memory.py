"""The kernel's truth about memory: regions, objects, amaps with their chunks, anons. `bel regions'."""
import collections

from bel import command, kernel, process

PROTECTIONS = ("read", "write", "execute")

# What the kernel believes of one page. Each is a pointer or None; `index` is the page's number in the object, `frame` the frame that its
# contents are in, if they are in memory.
Belief = collections.namedtuple("Belief", "region object index chunk anon frame")
NOTHING = Belief(None, None, None, None, None, None)


def region_bits():
    """The protection bits and the flags of a region by name: two dictionaries."""
    bits = kernel.macros("mm/region.h", "REGION_")
    return {name: bits[name] for name in PROTECTIONS}, {name: bit for name, bit in bits.items() if name not in PROTECTIONS}


def protection_text(protection):
    """`rw-' and the like."""
    return "".join(name[0] if protection & bit else "-" for name, bit in region_bits()[0].items()).replace("e", "x")


def is_shared(region):
    """Whether writes go to the object."""
    return bool(int(region["flags"]) & region_bits()[1]["shared"])


def permits(region, right):
    """Whether the region's protection permits to `read', `write' or `execute'."""
    return bool(int(region["protection"]) & region_bits()[0][right])


def regions(aspace):
    """All regions in address order: pointers."""
    return kernel.tree_elements(aspace["regions"]["tree"]["rbh_root"])


def bounds(region):
    """First page, and first page behind it."""
    return int(region["start"]["number"]), int(region["end"]["number"])


def region_text(region):
    """Range, protection and flags of a region."""
    first, end = bounds(region)
    kind = "s" if is_shared(region) else "p"
    flags = {name: bit for name, bit in region_bits()[1].items() if name != "shared"}
    return (f"{first << kernel.PAGE_SHIFT:#010x}-{end << kernel.PAGE_SHIFT:#010x} {protection_text(int(region['protection']))}{kind}"
            f" {kernel.flags_text(int(region['flags']), flags)}").rstrip()


# ---- Objects ----------------------------------------------------------------------------------------------------------------------


def object_kind(item):
    """`zero', `file' or `anonymous'."""
    return kernel.enumeration("object_kind", "OBJECT_")[int(item["kind"])]


def object_text(item):
    """Kind and name of an object."""
    name = "" if kernel.is_null(item["name"]) else f" {kernel.text(item['name'])}"
    return object_kind(item) + name


def object_pages(item):
    """How many pages lie within its size."""
    return (int(item["bytes"]) + kernel.PAGE_BYTES - 1) >> kernel.PAGE_SHIFT


def is_on_device(item, index):
    """Whether a page of an object has its place on a device; else it is an anon, or a hole."""
    return index < int(item["file"]["frame_count"])


def file_frame(item, index):
    """The frame of a page that is on a device, None if it is not in memory."""
    frame = item["file"]["frames"][index]
    return None if kernel.is_null(frame) else frame


# ---- Amaps ------------------------------------------------------------------------------------------------------------------------


def chunk_pages():
    """Pages in a chunk's window."""
    first, last = kernel.structure("chunk")["anons"].type.range()
    return last - first + 1


def chunks(amap):
    """All chunks of an amap: pointers."""
    for index in range(int(amap["count"])):
        chunk = amap["chunks"][index]
        if not kernel.is_null(chunk):
            yield chunk


def chunk_at(amap, page):
    """The chunk whose window holds the page, or None."""
    if kernel.is_null(amap):
        return None
    index = page // chunk_pages() - int(amap["first"])
    if not 0 <= index < int(amap["count"]):
        return None
    chunk = amap["chunks"][index]
    return None if kernel.is_null(chunk) else chunk


def anon_at(chunk, page):
    """The anon of a page, or None."""
    anon = chunk["anons"][page % chunk_pages()]
    return None if kernel.is_null(anon) else anon


def anons(chunk):
    """All anons of a chunk: pointers."""
    # One transfer for the whole array.
    slots = chunk["anons"]
    slots.fetch_lazy()
    for index in range(chunk_pages()):
        if not kernel.is_null(slots[index]):
            yield slots[index]


def amap_text(amap):
    """How many chunks and anons there are, how many of them shared, how many out of memory."""
    if kernel.is_null(amap):
        return "no amap"
    all_chunks = list(chunks(amap))
    all_anons = [anon for chunk in all_chunks for anon in anons(chunk)]
    shared_chunks = sum(int(chunk["references"]) > 1 for chunk in all_chunks)
    shared_anons = sum(int(anon["references"]) > 1 for anon in all_anons)
    swapped = sum(kernel.is_null(anon["frame"]) for anon in all_anons)
    parts = [(shared_anons, "shared"), (swapped, "in swap")]
    notes = ", ".join(f"{count} {what}" for count, what in parts if count)
    return (kernel.plural(len(all_chunks), "chunk") + (f" ({shared_chunks} shared)" if shared_chunks else "") + ", "
            + kernel.plural(len(all_anons), "anon") + (f" ({notes})" if notes else ""))


# ---- One page ---------------------------------------------------------------------------------------------------------------------


def anon_frame(anon):
    """The frame of an anon, None if there is no anon or it is out of memory."""
    return None if anon is None or kernel.is_null(anon["frame"]) else anon["frame"]


def believe(aspace, page):
    """What the kernel believes of a page of an address space: first the private layer, then the object."""
    region = next((region for region in regions(aspace) if bounds(region)[0] <= page < bounds(region)[1]), None)
    if region is None:
        return NOTHING
    item, index = region["object"], int(region["object_page"]) + page - bounds(region)[0]
    chunk = chunk_at(region["amap"], page)
    anon = anon_at(chunk, page) if chunk else None
    if anon is not None:
        return Belief(region, item, index, chunk, anon, anon_frame(anon))
    if object_kind(item) == "zero":
        return Belief(region, item, index, chunk, None, kernel.variable("object_zero_frame"))
    if is_on_device(item, index):
        return Belief(region, item, index, chunk, None, file_frame(item, index))
    chunk = chunk_at(item["amap"], index)
    anon = anon_at(chunk, index) if chunk else None
    return Belief(region, item, index, chunk, anon, anon_frame(anon))


class Regions(command.Command):
    """A process's regions: range, protection, object, private pages.
Usage: bel regions PID
For each region its range, protection (r, w, x; s: shared, p: private), flags, the object that its pages come from, and its amap: the pages
that have become anons of its own, in how many chunks, and how many of both are still shared since a fork."""

    name = "regions"
    least = most = 1

    def run(self, text):
        owner, aspace = process.find_aspace(text)
        print(f"{process.title(owner)}: {kernel.plural(int(aspace['regions']['count']), 'region')}, "
              f"{kernel.plural(int(aspace['regions']['pages']), 'page')}, {int(aspace['pmap']['resident'])} mapped; "
              f"heap {int(aspace['heap_start']):#010x}-{int(aspace['heap_end']):#010x}")
        for region in regions(aspace):
            print_region(region)


def print_region(region):
    """One line for a region, and one for the pages of an anonymous object."""
    item = region["object"]
    first, end = bounds(region)
    source = object_text(item)
    if object_kind(item) != "zero":
        source += f", page {int(region['object_page'])}"
    print(f"{region_text(region):36} {kernel.plural(end - first, 'page'):>12}  {source:28} {amap_text(region['amap'])}")
    if object_kind(item) == "anonymous":
        print(f"{'':51}of {kernel.plural(object_pages(item), 'page')}: {amap_text(item['amap'])}")
