"""Looks into compiled extension modules."""

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection


def dynamic_symbols(elf: ELFFile, *, defined: bool = False) -> set[str]:
    """The names in the table of dynamic symbols of an ELF file; only its own ones if `defined`."""
    table = elf.get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    return {
        symbol.name
        for symbol in table.iter_symbols()
        if not defined or symbol["st_shndx"] != "SHN_UNDEF"
    }
